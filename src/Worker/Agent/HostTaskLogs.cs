using System.Runtime.CompilerServices;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Events;

namespace Orchestrator.Worker.Agent;

/// <summary>Logs of the tasks whose containers are on this host.</summary>
internal sealed class HostTaskLogs(ContainerHost containers, EngineEvents events) : ITaskLogs
{
    public async IAsyncEnumerable<LogRecord> ReadAsync(ServiceTask task, LogQuery query, [EnumeratorCancellation] CancellationToken stop)
    {
        var name = TaskContainerPlan.NameOf(task);
        if (query.Follow && !HasStarted(name))
            await UntilStartedAsync(name, stop);
        if (containers.TryFind(name) is not { } found)
            yield break;
        await foreach (var record in containers.ReadLogsAsync(found.Id, query, stop))
            yield return record;
    }

    /// <summary>A follower may come before the task's container has.</summary>
    private async Task UntilStartedAsync(string name, CancellationToken stop)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var watch = events.Watch(null, enough.Token); // before the second look: no start falls between
        if (!HasStarted(name))
        {
            await foreach (var happened in watch)
            {
                if (happened.Type == "container" && HasStarted(name))
                    break;
            }
        }

        await enough.CancelAsync();
    }

    private bool HasStarted(string name) => containers.TryFind(name) is { State: var state }
        && (state.Status != ContainerStatus.Created || state.Error.Length > 0);
}
