using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Network;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers;

/// <summary>How it ends: exits, restarts by policy, removal.</summary>
internal sealed partial class ContainerLife
{
    /// <summary>The runtime saw it end. Seen twice does no harm.</summary>
    internal Task ExitedAsync(ContainerExit exit) => TellAsync("exit", () => EndAsync(exit));

    /// <summary>Asks the runtime what it knows: one that is lost ended with an unknown exit; a run that nobody was told of is ended.</summary>
    internal Task ReconcileAsync() => TellAsync("reconcile", CheckAsync);

    /// <summary>A daemon start: goes on with a removal that was begun, or starts again by policy.</summary>
    internal Task ResumeAsync(bool wasRunning) => TellAsync("resume", async () =>
    {
        if (state.Status is ContainerStatus.Removing or ContainerStatus.Dead)
            await RemoveNowAsync();
        else if (state.Status == ContainerStatus.Running)
            GoOnProbing();
        else if (state.Status == ContainerStatus.Restarting
                 || (state.Status != ContainerStatus.Running
                     && RestartPlan.AtDaemonStart(container.HostConfig.RestartPolicy, state.ExitCode, wasRunning, state.StoppedByUser)))
            await RestartDueAsync();
        else if (state.Status == ContainerStatus.Exited && container.HostConfig.AutoRemove)
            await RemoveNowAsync();
    });

    internal async Task RemoveAsync(bool force, bool withVolumes, CancellationToken stop)
    {
        var removed = NewSource<bool>();
        await AskAsync("remove", async () =>
        {
            if (state.Status is ContainerStatus.Running or ContainerStatus.Restarting && !force)
            {
                throw new ContainerConflictException(
                    $"cannot remove container \"/{container.Name}\": container is {(state.Paused ? "paused and must be unpaused first" : $"{(state.Status == ContainerStatus.Running ? "running" : "restarting")}: stop the container before removing or force remove")}");
            }

            untilRemoved.Add(removed);
            if (withVolumes)
                Keep(state with { RemoveVolumes = true });
            if (state.Status == ContainerStatus.Running)
            {
                Keep(state with { StoppedByUser = true });
                await SignalAsync(Signals.Kill);
            }
            else
            {
                await RemoveNowAsync();
            }

            return true;
        }, stop);
        await removed.Task.WaitAsync(stop);
    }

    private async Task EndAsync(ContainerExit exit)
    {
        if (state.Status != ContainerStatus.Running || exit.Pid != state.Pid)
            return;
        await DropTimerAsync();
        await EndProbingAsync();
        var goes = untilRemoved.Count > 0 || container.HostConfig.AutoRemove;
        var ran = exit.ExitedAt - (state.StartedAt ?? exit.ExitedAt);
        quickExits = ran >= RestartPlan.Healthy ? 1 : quickExits + 1;
        var again = goes ? null : RestartPlan.After(container.HostConfig.RestartPolicy, exit.ExitCode, state.StoppedByUser, state.RestartCount, quickExits);
        // On disk before the runtime forgets it: a daemon that crashes in between still knows how it ended, and whether it is to start again.
        Keep(state with
        {
            Status = again is null ? ContainerStatus.Exited : ContainerStatus.Restarting,
            Paused = false,
            Pid = 0,
            ExitCode = exit.ExitCode,
            OomKilled = exit.OomKilled,
            ExitUnknown = exit.Unknown,
            Error = exit.Unknown ? "the exit was not seen; its code is unknown" : "",
            FinishedAt = exit.ExitedAt,
        });
        if (exit.Unknown)
            services.Log.ExitUnknown(Id);
        services.Log.ContainerEnded(container.Name, Id, exit.ExitCode);
        if (exit.OomKilled && !toldOutOfMemory)
            Publish("oom");
        toldOutOfMemory = false;
        Publish("die", ("exitCode", exit.ExitCode.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        TellHealth();
        Release(untilExit);
        ReleaseWaiters(WaitCondition.NotRunning, WaitCondition.NextExit);

        await ForgetRunAsync();
        ReleaseShm();
        logEnded.TrySetResult();
        detaching = DetachAsync();
        if (goes || untilRemoved.Count > 0)
            await RemoveNowAsync();
        else if (again is { } delay)
            RestartAfter(delay);
    }

    /// <summary>What cannot be deleted now is found when the runtime is asked again what it knows.</summary>
    private async Task ForgetRunAsync()
    {
        try
        {
            await services.Runtime.DeleteAsync(Id, CancellationToken.None);
        }
        catch (RuntimeException e)
        {
            services.Log.ContainerWorkFailed(e, Id, "deleting what ended");
        }
    }

    private void RestartAfter(TimeSpan delay) =>
        timer = services.Time.CreateTimer(_ => Post("restart", RestartDueAsync), null, delay, Timeout.InfiniteTimeSpan);

    private void ScheduleRestart()
    {
        var delay = RestartPlan.After(container.HostConfig.RestartPolicy, state.ExitCode, state.StoppedByUser, state.RestartCount, quickExits);
        if (delay is null)
            return;
        Keep(state with { Status = ContainerStatus.Restarting });
        RestartAfter(delay.Value);
    }

    private async Task RestartDueAsync()
    {
        if (gone || state.Status is ContainerStatus.Running or ContainerStatus.Removing)
            return;
        await DropTimerAsync();
        try
        {
            await StartOnceAsync(state.RestartCount + 1);
        }
        catch (ContainerStartException e)
        {
            services.Log.ContainerWorkFailed(e, Id, "restart");
            Keep(state with { RestartCount = state.RestartCount + 1 });
            quickExits++;
            ScheduleRestart();
        }
    }

    private async Task CheckAsync()
    {
        if (gone)
            return;
        var known = (await services.Runtime.ListAsync(CancellationToken.None)).FirstOrDefault(r => r.Id == Id);
        if (state.Status != ContainerStatus.Running)
        {
            if (known is not null)
                await ForgetRunAsync();
            return;
        }

        if (known is null || known.Pid != state.Pid)
        {
            await EndAsync(new ContainerExit
            {
                Id = Id,
                Pid = state.Pid,
                ExitCode = 255,
                ExitedAt = services.Time.GetUtcNow(),
                Unknown = true,
            });
        }
        else if (known.Exit is { } exit)
        {
            await EndAsync(exit);
        }
    }

    private async Task DetachAsync()
    {
        try
        {
            await services.Networks.DetachAsync(Id, CancellationToken.None);
        }
        catch (NetworkException e)
        {
            services.Log.ContainerWorkFailed(e, Id, "leaving its networks");
        }

        await volumes.UnmountAsync(container);
    }

    private async Task RemoveNowAsync()
    {
        await DropTimerAsync();
        try
        {
            if (state.Status != ContainerStatus.Dead)
                Keep(state with { Status = ContainerStatus.Removing });
            await detaching;
            await services.Runtime.DeleteAsync(Id, CancellationToken.None);
            await services.Networks.DetachAsync(Id, CancellationToken.None);
            await services.Images.ReleaseAsync(Id, CancellationToken.None);
            await volumes.ReleaseAsync(container, state.RemoveVolumes || container.HostConfig.AutoRemove);
            directory.Delete();
        }
        catch (Exception e) when (e is RuntimeException or NetworkException or Images.ImageException or IOException or UnauthorizedAccessException)
        {
            Keep(state with { Status = ContainerStatus.Dead, Error = e.Message });
            foreach (var waiting in untilRemoved)
                waiting.TrySetException(new IOException($"container {Id} could not be removed: {e.Message}", e));
            untilRemoved.Clear();
            throw;
        }

        gone = true;
        await UnseatAsync();
        await forget(this);
        TellHealth();
        Publish("destroy");
        Release(untilRemoved);
        Release(untilExit);
        ReleaseWaiters(WaitCondition.NotRunning, WaitCondition.NextExit, WaitCondition.Removed);
        inbox.Close();
    }

    private static void Release(List<TaskCompletionSource<bool>> waiting)
    {
        foreach (var one in waiting)
            one.TrySetResult(true);
        waiting.Clear();
    }

    private void ReleaseWaiters(params ReadOnlySpan<WaitCondition> conditions)
    {
        var reply = ExitReply();
        for (var i = waiters.Count - 1; i >= 0; i--)
        {
            if (!conditions.Contains(waiters[i].Condition))
                continue;
            waiters[i].Done.TrySetResult(reply);
            waiters.RemoveAt(i);
        }
    }
}
