using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Health;
using Orchestrator.Worker.Containers.Payloads;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Network;

namespace Orchestrator.Worker.Agent;

/// <summary>Tasks as containers of this host. A task's container is found by its name, which holds the task's id.</summary>
internal sealed class ContainerTaskExecutor(ContainerHost containers, INetworks networks, string nodeHostname, EndpointEpoch epoch, ILogger log) : ITaskExecutor
{
    // The ids that the manager wants here; null until it said so.
    private volatile HashSet<string>? wanted;

    private readonly TaskCompletionSource payloadsKnown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile NodePayloads payloads = NodePayloads.None;

    public void UsePayloads(NodePayloads now)
    {
        payloads = now;
        payloadsKnown.TrySetResult();
    }

    public async Task RestoreFilesAsync(TaskAssignment task, CancellationToken stop)
    {
        if (TaskFilesPlan.Needs(task) && containers.TryFind(TaskContainerPlan.NameOf(task.Task)) is { } found)
            containers.GiveFiles(found.Id, await FilesAsync(task, stop));
    }

    public async Task EnsureNetworksAsync(IReadOnlyList<Shared.Model.Network> all, CancellationToken stop)
    {
        wanted = [.. all.Select(n => n.Id.Value)];
        foreach (var network in all)
        {
            try
            {
                await networks.EnsureNetworkAsync(NetworkTables.Of(network), stop);
            }
            catch (Exception e) when (e is NetworkException or FormatException)
            {
                // Its tasks will say so when they cannot join it; the other networks are made.
                log.NetworkFailed(network.Name, e.Message);
            }
        }
    }

    public async Task ApplyEndpointsAsync(EndpointTable table, CancellationToken stop)
    {
        var result = await networks.ApplyServicesAsync(NetworkTables.Of(table, epoch.Value), stop);
        foreach (var conflict in result.Conflicts)
            log.PortTaken(conflict.Reason);
    }

    public async Task PrepareAsync(TaskAssignment task, CancellationToken stop)
    {
        var name = TaskContainerPlan.NameOf(task.Task);
        if (containers.TryFind(name) is not null)
            return;
        var request = TaskContainerPlan.Of(task, nodeHostname);
        var files = await FilesAsync(task, stop);
        try
        {
            await containers.CreateAsync(request, name, files, stop);
        }
        catch (ImageException e) when (e.Fault == ImageFault.NotFound)
        {
            throw new TaskFailedException(
                $"No such image: {request.Image} (load or build it on this node: orch image load, orch build; registries come with a later release)", e);
        }
        catch (Exception e) when (e is ImageException or InvalidContainerException or ContainerConflictException or NetworkException or IOException or UnauthorizedAccessException)
        {
            throw new TaskFailedException(e.Message, e);
        }
    }

    public async Task<TaskContainerStatus> StartAsync(TaskAssignment task, CancellationToken stop)
    {
        var found = containers.TryFind(TaskContainerPlan.NameOf(task.Task))
            ?? throw new TaskFailedException("starting container failed: its container was removed");
        if (found.State.Status == ContainerStatus.Created)
        {
            await RestoreFilesAsync(task, stop);
            try
            {
                await containers.StartAsync(found.Id, stop);
            }
            catch (Exception e) when (e is ContainerStartException or ContainerNotFoundException or ContainerConflictException)
            {
                throw new TaskFailedException($"starting container failed: {e.Message}", e)
                {
                    Container = new TaskContainerStatus { ContainerId = found.Id, ExitCode = e is ContainerStartException start ? start.ExitCode : 128 },
                };
            }
        }

        return Status(containers.TryFind(found.Id)) ?? new TaskContainerStatus { ContainerId = found.Id };
    }

    public async Task<TaskExit> WaitAsync(TaskAssignment task, CancellationToken stop)
    {
        var name = TaskContainerPlan.NameOf(task.Task);
        try
        {
            var id = containers.TryFind(name)?.Id ?? throw new ContainerNotFoundException(name);
            await containers.WaitAsync(id, WaitCondition.NotRunning, stop);

            // What is reported as ended has no address any more: the manager gives it to the next task at once.
            await containers.SettledAsync(id, stop);
            var ended = containers.TryFind(id) ?? throw new ContainerNotFoundException(id);
            return new TaskExit
            {
                Container = Status(ended)!,
                OutOfMemory = ended.State.OomKilled,
                Unknown = ended.State.ExitUnknown ? ended.State.Error : null,
            };
        }
        catch (ContainerNotFoundException)
        {
            return new TaskExit
            {
                Container = task.Task.Status.ContainerStatus ?? new TaskContainerStatus(),
                Unknown = "its container was removed",
            };
        }
    }

    public async IAsyncEnumerable<TaskHealth> WatchHealthAsync(TaskAssignment task, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var container in containers.WatchHealthAsync(TaskContainerPlan.NameOf(task.Task), stop))
            yield return Health(container.State.Health);
    }

    public async Task<bool> IsServingAsync(TaskAssignment task, CancellationToken stop)
    {
        if (containers.TryFind(TaskContainerPlan.NameOf(task.Task)) is not { IsRunning: true, State.Pid: > 0 and var pid })
            return false;
        try
        {
            return ServedConnections.Any(await File.ReadAllTextAsync($"/proc/{pid}/net/tcp", stop), await File.ReadAllTextAsync($"/proc/{pid}/net/tcp6", stop));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // it ends just now, or there is no IPv6
        }
    }

    private static TaskHealth Health(ContainerHealth? health) => health is null ? TaskHealth.Unchecked : new(
        health.Status switch
        {
            HealthPlan.Healthy => HealthState.Healthy,
            HealthPlan.Unhealthy => HealthState.Unhealthy,
            _ => HealthState.Starting,
        },
        HealthPlan.Complaint(health));

    public async Task<TaskContainerStatus?> StopAsync(TaskAssignment task, CancellationToken stop)
    {
        var name = TaskContainerPlan.NameOf(task.Task);
        if (containers.TryFind(name) is not { } found)
            return null;
        try
        {
            await containers.StopAsync(found.Id, task.Task.Spec.ContainerSpec?.StopGracePeriod ?? TaskContainerPlan.DefaultGrace, null, stop);
            await containers.SettledAsync(found.Id, stop);
        }
        catch (ContainerNotFoundException)
        {
            return null;
        }

        return Status(containers.TryFind(found.Id));
    }

    public async Task RemoveAsync(TaskAssignment task, CancellationToken stop)
    {
        if (containers.TryFind(TaskContainerPlan.NameOf(task.Task)) is { } found)
            await RemoveAsync(found.Id, stop);
    }

    public async Task RemoveStraysAsync(IReadOnlySet<TaskId> known, CancellationToken stop)
    {
        foreach (var container in containers.Snapshots())
        {
            if (container.Container.Config.Labels.TryGetValue(TaskLabels.TaskId, out var id) && !known.Contains(new TaskId(id)))
                await RemoveAsync(container.Id, stop);
        }
    }

    public async Task PruneNetworksAsync(CancellationToken stop)
    {
        if (wanted is not { } keep)
            return;
        foreach (var network in await networks.ListNetworksAsync(stop))
        {
            // Ids of the cluster are shorter than those a host gives: its own networks are not the manager's.
            if (network.Id.Length != IdText.ClusterLength || keep.Contains(network.Id))
                continue;
            try
            {
                await networks.RemoveNetworkAsync(network.Id, stop);
            }
            catch (NetworkException)
            {
                // Somebody is on it still; the next container that goes asks again.
            }
        }
    }

    /// <summary>After a daemon's start the manager's word comes first: what the tasks need lies on no disk.</summary>
    private async Task<ContainerFiles> FilesAsync(TaskAssignment task, CancellationToken stop)
    {
        if (!TaskFilesPlan.Needs(task))
            return ContainerFiles.None;
        await payloadsKnown.Task.WaitAsync(stop);
        return TaskFilesPlan.Of(task, payloads, nodeHostname);
    }

    private async Task RemoveAsync(string id, CancellationToken stop)
    {
        try
        {
            await containers.RemoveAsync(id, force: true, volumes: true, stop);
        }
        catch (ContainerNotFoundException)
        {
            // Gone is what was wanted.
        }
    }

    private static TaskContainerStatus? Status(ContainerSnapshot? snapshot) => snapshot is null
        ? null
        : new TaskContainerStatus { ContainerId = snapshot.Id, Pid = snapshot.State.Pid, ExitCode = snapshot.State.ExitCode };
}
