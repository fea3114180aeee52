using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Containers.Processes;
using Orchestrator.Worker.Containers.Usage;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers;

/// <summary>Pausing, limits, and what containers use.</summary>
internal sealed partial class ContainerHost
{
    /// <summary>Which limits this host can hold.</summary>
    internal LimitFacts Limits => services.Facts.Limits;

    /// <exception cref="ContainerConflictException">It does not run, or stands still already.</exception>
    internal Task PauseAsync(string reference, CancellationToken stop) => index.Find(reference).PauseAsync(stop);

    /// <summary>Tells owners when their containers run out of memory, until cancelled.</summary>
    internal async Task WatchOutOfMemoryAsync(CancellationToken stop)
    {
        await foreach (var id in services.Runtime.WatchOutOfMemoryAsync(stop))
        {
            if (index.TryGet(id) is { } life)
                await life.OutOfMemoryAsync();
        }

        throw new RuntimeException("the watch over containers' memory ended: the shim went away");
    }

    /// <exception cref="ContainerConflictException">It is not paused.</exception>
    internal Task UnpauseAsync(string reference, CancellationToken stop) => index.Find(reference).UnpauseAsync(stop);

    /// <summary>Other limits or another restart policy; what cannot be held on this host comes back as warnings.</summary>
    /// <exception cref="InvalidContainerException">The limits cannot be; every reason is named.</exception>
    internal Task<IReadOnlyList<string>> UpdateAsync(string reference, ContainerUpdateRequest request, CancellationToken stop) =>
        index.Find(reference).UpdateAsync(request, stop);

    /// <summary>One reading of what it uses, without the one before; of a container that does not run, its names alone.</summary>
    internal async Task<ContainerStats> ReadStatsAsync(string reference, CancellationToken stop)
    {
        var snapshot = index.Find(reference).Snapshot;
        var names = new ContainerStats { Id = snapshot.Id, Name = "/" + snapshot.Container.Name };
        if (!snapshot.IsRunning)
            return names;
        try
        {
            var usage = await services.Runtime.ReadUsageAsync(snapshot.Id, stop);
            return UsageView.Of(names, usage, HostCpu.Read(), services.Time.GetUtcNow(), ownNetwork: snapshot.State.Endpoints.Count > 0);
        }
        catch (RuntimeException) when (!index.Find(reference).Snapshot.IsRunning)
        {
            return names; // it ended meanwhile
        }
    }

    /// <summary>Its processes, in the columns that arguments of ps(1) ask for.</summary>
    /// <exception cref="InvalidContainerException">The arguments ask for what is not offered.</exception>
    /// <exception cref="ContainerConflictException">It does not run.</exception>
    internal async Task<ContainerTopReply> ListProcessesAsync(string reference, string? arguments, CancellationToken stop)
    {
        var life = index.Find(reference);
        var format = TopFormat.Parse(arguments);
        if (life.Snapshot.State.Status == ContainerStatus.Restarting)
            throw new ContainerConflictException($"Container {life.Id} is restarting, wait until the container is running");
        if (!life.Snapshot.IsRunning)
            throw new ContainerConflictException($"container {life.Id} is not running");
        var pids = await services.Runtime.ListProcessesAsync(life.Id, stop);
        var host = ProcessHost.Read(services.Time);
        return new ContainerTopReply
        {
            Titles = [.. format.Columns.Select(c => c.Title)],
            Processes = [.. pids.Order().Select(ProcessEntry.Read).OfType<ProcessEntry>().Select(IReadOnlyList<string> (p) => [.. format.Columns.Select(c => c.Text(p, host))])],
        };
    }
}
