using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Health;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers;

/// <summary>How its health is looked after: one probe at a time, the next one's time planned when one has ended.</summary>
internal sealed partial class ContainerLife
{
    private readonly HealthCheck? check;
    private TaskCompletionSource healthChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? probeTimer;
    private (Task Done, CancellationTokenSource Stop)? probing;

    /// <summary>A daemon start finds the container running: what is known of its health stays.</summary>
    private void GoOnProbing()
    {
        if (check is null)
            return;
        if (state.Health is null)
            Keep(state with { Health = HealthPlan.Begin(null) });
        ScheduleProbe();
    }

    private void ScheduleProbe()
    {
        if (check is null || state.Health is not { } health || state.StartedAt is not { } started)
            return;
        var pid = state.Pid;
        var pause = HealthPlan.Pause(check, health, started, services.Time.GetUtcNow());
        probeTimer?.Dispose();
        probeTimer = services.Time.CreateTimer(_ => PostProbe(pid), null, pause, Timeout.InfiniteTimeSpan);
    }

    /// <summary>From the timer, which cannot wait: when orders pile up it tries again.</summary>
    private void PostProbe(int pid)
    {
        if (!inbox.TrySend(("probe", () => ProbeDueAsync(pid))))
            probeTimer?.Change(TimeSpan.FromMilliseconds(100), Timeout.InfiniteTimeSpan);
    }

    private async Task ProbeDueAsync(int pid)
    {
        if (gone || check is null || state.Pid != pid)
            return;
        if (state.Status != ContainerStatus.Running || state.Paused)
        {
            ScheduleProbe(); // paused: nothing of it can answer
            return;
        }

        var process = (await ProcessAsync()) with { Args = check.Command, Terminal = false };
        if (probing is { } last)
        {
            await last.Done; // it has told its result, and ends
            last.Stop.Dispose();
        }

        var stop = new CancellationTokenSource();
        probing = (ProbeAsync(pid, process, check, stop.Token), stop);
    }

    private async Task ProbeAsync(int pid, OciProcess process, HealthCheck asked, CancellationToken stop)
    {
        try
        {
            var found = await new ProbeRunner(services.Runtime, services.Time).RunAsync(Id, process, asked.Timeout, stop);
            await inbox.SendAsync(("probed", () => ProbedAsync(pid, found)), stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The container ended or the daemon does: nobody asks for the result any more.
        }
    }

    private Task ProbedAsync(int pid, HealthProbe found)
    {
        if (gone || check is null || state.Pid != pid || state.Health is not { } before || state.StartedAt is not { } started)
            return Task.CompletedTask;
        var next = HealthPlan.After(check, before, found, started);
        var told = healthChanged;
        healthChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Keep(state with { Health = next });
        told.TrySetResult();
        if (next.Status != before.Status)
        {
            if (next.Status == HealthPlan.Unhealthy)
                services.Log.ContainerUnhealthy(container.Name, Id, next.FailingStreak, HealthPlan.Complaint(next) ?? "");
            Publish("health_status: " + next.Status);
        }

        ScheduleProbe();
        return Task.CompletedTask;
    }

    /// <summary>The container ended, is gone or has another health: whoever watches looks again.</summary>
    private void TellHealth()
    {
        var told = healthChanged;
        healthChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
        snapshot = snapshot with { HealthChanged = gone ? Task.CompletedTask : healthChanged.Task };
        told.TrySetResult();
    }

    private async ValueTask EndProbingAsync()
    {
        if (probeTimer is { } old)
        {
            probeTimer = null;
            await old.DisposeAsync();
        }

        if (probing is { } running)
        {
            probing = null;
            await running.Stop.CancelAsync();
            await running.Done.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            running.Stop.Dispose();
        }
    }

    /// <summary>The container's own process as it was started: user, environment, working directory, capabilities, limits.</summary>
    private async Task<OciProcess> ProcessAsync()
    {
        var layers = await services.Images.AcquireLayersAsync(container.ImageId, Id, CancellationToken.None);
        var host = container.HostConfig;
        var user = ContainerUser.Find([directory.Upper, .. layers.LowerDirs], container.Config.User ?? "", host.GroupAdd);
        return SpecPlan.Of(
            Id, container.Config, host, new StartFacts { NetnsPath = null, User = user.Ids, Home = user.Home, FilesDirectory = directory.Root }, services.Facts).Process;
    }
}
