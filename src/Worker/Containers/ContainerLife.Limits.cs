using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers;

/// <summary>Standing still, and other limits while it runs.</summary>
internal sealed partial class ContainerLife
{
    private bool toldOutOfMemory; // in this run

    internal Task PauseAsync(CancellationToken stop) => AskAsync("pause", async () =>
    {
        if (state.Status == ContainerStatus.Restarting)
            throw new ContainerConflictException($"Container {Id} is restarting, wait until the container is running");
        RefuseUnlessRunning();
        if (state.Paused)
            throw new ContainerConflictException($"container {Id} is already paused");
        await EndProbingAsync(); // a probe would stand still with it, and run out of time
        await OnRuntimeAsync(() => services.Runtime.PauseAsync(Id, CancellationToken.None));
        Keep(state with { Paused = true });
        Publish("pause");
        return true;
    }, stop);

    internal Task UnpauseAsync(CancellationToken stop) => AskAsync("unpause", async () =>
    {
        RefuseUnlessRunning();
        if (!state.Paused)
            throw new ContainerConflictException($"Container {Id} is not paused");
        await OnRuntimeAsync(ThawAsync);
        return true;
    }, stop);

    /// <summary>Other limits from now on, also after a restart. Gives what cannot be held on this host.</summary>
    internal Task<IReadOnlyList<string>> UpdateAsync(ContainerUpdateRequest request, CancellationToken stop) => AskAsync<IReadOnlyList<string>>("update", async () =>
    {
        if (state.Status is ContainerStatus.Removing or ContainerStatus.Dead)
            throw new ContainerConflictException($"Cannot update container {Id}: container is marked for removal and cannot be \"update\"");
        var problems = new List<Problem>();
        var warnings = new List<string>();
        var plan = UpdatePlan.Of(container.HostConfig, request, services.Facts, problems, warnings);
        if (problems.Count > 0)
            throw new InvalidContainerException(problems);
        // The kernel first: what is on disk and cannot be held would keep the container from starting again.
        if (state.Status == ContainerStatus.Running && plan.Change is { } change)
            await OnRuntimeAsync(async () => warnings.AddRange(await services.Runtime.UpdateAsync(Id, change, CancellationToken.None)));
        var updated = container with { HostConfig = plan.Next };
        directory.Write(updated);
        container = updated;
        snapshot = snapshot with { Container = updated };
        Publish("update");
        return warnings;
    }, stop);

    /// <summary>
    /// A process that stands still takes no signal but waits with it. As Docker: whoever sends the stop signal or SIGKILL, or any signal where no stop
    /// signal is set, lets the container go on so that it can obey.
    /// </summary>
    private async Task ThawToObeyAsync(int signal)
    {
        var obeys = signal == Signals.Kill || string.IsNullOrEmpty(container.Config.StopSignal) || signal == Signals.Parse(container.Config.StopSignal);
        if (!state.Paused || state.Status != ContainerStatus.Running || !obeys)
            return;
        try
        {
            await ThawAsync();
        }
        catch (RuntimeException)
        {
            await CheckAsync(); // it may have ended by the signal
        }
    }

    private async Task ThawAsync()
    {
        await services.Runtime.ResumeAsync(Id, CancellationToken.None);
        Keep(state with { Paused = false });
        Publish("unpause");
        ScheduleProbe();
    }

    /// <summary>The kernel killed something of it, or would have; it may live on.</summary>
    internal Task OutOfMemoryAsync() => TellAsync("out of memory", () =>
    {
        if (state.Status == ContainerStatus.Running)
        {
            toldOutOfMemory = true;
            Publish("oom");
        }

        return Task.CompletedTask;
    });

    private void RefuseUnlessRunning()
    {
        if (state.Status != ContainerStatus.Running)
            throw new ContainerConflictException($"Container {Id} is not running");
    }

    /// <summary>What the runtime refuses because the container has just ended is told as that.</summary>
    private async Task OnRuntimeAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (RuntimeException)
        {
            await CheckAsync();
            RefuseUnlessRunning();
            throw;
        }
    }
}
