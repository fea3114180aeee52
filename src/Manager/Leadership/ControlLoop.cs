using Microsoft.Extensions.Logging;
using Orchestrator.Manager.State;

namespace Orchestrator.Manager.Leadership;

/// <summary>Takes turns while this manager leads: reads the state once, plans, proposes, and sleeps until the state or the clock says more.</summary>
internal sealed class ControlLoop(Cluster cluster, TimeProvider time, IdSource ids, ILogger log)
{
    /// <summary>After a proposal that was not taken; leadership is about to change or to be confirmed.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>What the plans look at. A payload is in the state before whoever names it, and nothing is planned of it alone.</summary>
    private const StateParts Seen = StateParts.Members | StateParts.Work;

    internal async Task RunAsync(CancellationToken stop)
    {
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var state = cluster.Current;
            var now = time.GetUtcNow();
            var decision = ControlTurn.Plan(state, now, ids);
            if (decision.Commands.Count == 0)
                await SleepAsync(state, decision.WakeAt - now, stop);
            else
                await ProposeAsync(new Turn(decision.Commands) { At = now }, stop);
        }
    }

    private async Task ProposeAsync(Turn turn, CancellationToken stop)
    {
        try
        {
            await cluster.ProposeAsync(turn, stop);
        }
        catch (ClusterUnavailableException failure)
        {
            log.TurnNotTaken(failure.Message);
            await Task.Delay(Pause, time, stop);
        }
    }

    private async Task SleepAsync(ClusterState seen, TimeSpan? most, CancellationToken stop)
    {
        if (most is not { } limit)
        {
            await cluster.NewerThanAsync(seen, Seen, stop);
            return;
        }

        using var awake = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var due = TimeSpan.FromTicks(Math.Clamp(limit.Ticks, TimeSpan.TicksPerMillisecond, TimeSpan.TicksPerDay));
        await using var clock = time.CreateTimer(static a => ((CancellationTokenSource)a!).Cancel(), awake, due, Timeout.InfiniteTimeSpan);
        try
        {
            await cluster.NewerThanAsync(seen, Seen, awake.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // It is time.
        }
    }
}
