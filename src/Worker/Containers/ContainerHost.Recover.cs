using Orchestrator.Worker.Containers.Payloads;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Network;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Volumes;

namespace Orchestrator.Worker.Containers;

/// <summary>A daemon's start over the containers of the one before, and the watch over exits.</summary>
internal sealed partial class ContainerHost
{
    /// <summary>
    /// Takes over what runs, learns what ended meanwhile, removes what is half-made or nobody's. Call once, before anything else.
    /// </summary>
    /// <returns>The ids of the containers that run.</returns>
    internal async Task<IReadOnlySet<string>> RecoverAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(services.Root);
        MemoryFiles.Clean(services.MemoryRoot);
        var known = (await services.Runtime.ListAsync(stop)).ToDictionary(r => r.Id, StringComparer.Ordinal);
        var plan = RecoveryPlan.Of(
            [.. Directory.EnumerateDirectories(services.Root).Select(d => Read(Path.GetFileName(d)))], known, services.Time.GetUtcNow());
        services.Volumes.Recover(
            [.. plan.Keep.Select(k => new FoundUser(
                k.Container.Id, known.TryGetValue(k.Container.Id, out var record) && record.Exit is null, [.. k.Container.Volumes.Where(v => v.Type == "volume").Select(v => v.Name)]))]);
        foreach (var id in plan.Remove)
            await RemoveLeftoverAsync(id, stop);

        // On disk before the runtime forgets how they ended.
        foreach (var taken in plan.Keep.Where(k => k.Changed))
            Record(taken.Container.Id, taken.State);
        foreach (var id in plan.Forget)
            await ForgetExitAsync(id, stop);

        foreach (var taken in plan.Keep)
        {
            // Said again to the images' room, which may have been restored from an older state than ours.
            await HoldAsync(taken.Container, stop);
            var name = taken.Container.Name;
            if (!index.TryReserve(name, taken.Container.Id, out _))
                services.Log.ContainerWarning(taken.Container.Id, $"its name '{name}' is in use; it is known by its id");
            Begin(taken.Container, taken.State);
        }

        var running = plan.Keep.Where(k => k.State.Status == ContainerStatus.Running).Select(k => k.Container.Id).ToHashSet(StringComparer.Ordinal);
        services.Log.Recovered(running.Count, plan.Keep.Length - running.Count, plan.Remove.Length);
        wasRunning = plan.Keep.Where(k => k.WasRunning).Select(k => k.Container.Id).ToHashSet(StringComparer.Ordinal);
        return running;
    }

    /// <summary>After networks are there again: restarts by policy, removals that were begun.</summary>
    internal async Task ResumeAsync()
    {
        foreach (var life in index.All())
            await life.ResumeAsync(wasRunning.Contains(life.Id));
    }

    /// <summary>Tells owners of the ends of their containers until cancelled. Started again after a failure, it misses nothing.</summary>
    internal async Task WatchExitsAsync(CancellationToken stop)
    {
        var exits = services.Runtime.WatchExitsAsync(stop);
        // A shim that was restarted may have lost some, or know some that were being started or deleted when its predecessor died.
        var known = (await services.Runtime.ListAsync(stop)).ToDictionary(r => r.Id, r => r.Pid, StringComparer.Ordinal);
        foreach (var life in index.All().Where(l => known.TryGetValue(l.Id, out var pid) ? pid != l.Snapshot.State.Pid : l.Snapshot.IsRunning))
            await life.ReconcileAsync();
        await foreach (var exit in exits)
        {
            if (index.TryGet(exit.Id) is { } life)
                await life.ExitedAsync(exit);
        }

        throw new RuntimeException("the watch over containers' exits ended: the shim went away");
    }

    private IReadOnlySet<string> wasRunning = new HashSet<string>();

    private FoundContainer Read(string id)
    {
        var directory = new ContainerDirectory(services.Root, id);
        return new FoundContainer(id, directory.ReadContainer(), directory.ReadState());
    }

    /// <summary>A disk without room is no reason to leave the host's containers alone: what is not recorded is found again at the next start.</summary>
    private void Record(string id, StoredState state)
    {
        try
        {
            new ContainerDirectory(services.Root, id).Write(state);
        }
        catch (IOException e)
        {
            services.Log.NotRecorded(id, e.Message);
        }
    }

    private async Task ForgetExitAsync(string id, CancellationToken stop)
    {
        try
        {
            await services.Runtime.DeleteAsync(id, stop);
        }
        catch (RuntimeException e)
        {
            services.Log.LeftoverStays(e, id);
        }
    }

    private async Task HoldAsync(StoredContainer container, CancellationToken stop)
    {
        try
        {
            await services.Images.AcquireLayersAsync(container.ImageId, container.Id, stop);
        }
        catch (ImageException e)
        {
            services.Log.ContainerWorkFailed(e, container.Id, "holding its image");
        }
    }

    private async Task RemoveLeftoverAsync(string id, CancellationToken stop)
    {
        try
        {
            await services.Runtime.DeleteAsync(id, stop);
            await services.Networks.DetachAsync(id, stop);
            await services.Images.ReleaseAsync(id, stop);
            new ContainerDirectory(services.Root, id).Delete();
        }
        catch (Exception e) when (e is RuntimeException or NetworkException or ImageException or IOException or UnauthorizedAccessException)
        {
            services.Log.LeftoverStays(e, id);
        }
    }
}
