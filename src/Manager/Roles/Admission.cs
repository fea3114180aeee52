using Microsoft.Extensions.Logging;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Roles;

/// <summary>A manager that does not vote yet asks the leader to take it in, until it does. Begun anew at each start, so a crash loses nothing.</summary>
/// <param name="request">Who it is.</param>
internal sealed class Admission(AdmitRequest request, Cluster cluster, IManagers managers, ControlCaller leader, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>So long without a leader, or without a vote, and a manager asks again: longer than an election takes.</summary>
    private static readonly TimeSpan Lonely = TimeSpan.FromSeconds(5);

    internal async Task RunAsync(CancellationToken stop)
    {
        var asks = !Votes;
        while (!Votes)
        {
            try
            {
                await AskAsync(TimeSpan.FromSeconds(10), stop);
                break;
            }
            catch (RpcException refused)
            {
                log.NotAdmitted(refused.Detail);
            }

            await Task.Delay(Pause, time, stop);
        }

        if (asks)
            log.IsAdmitted();
        await StayAsync(stop);
    }

    /// <summary>
    /// Who was put out while it was cut off still counts itself a voter, and nobody speaks to it any more. If it is to be a manager again by
    /// the time it is back, it never hears that it was none meanwhile: so it asks, and goes on with the number and the journal it has.
    /// </summary>
    private async Task StayAsync(CancellationToken stop)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            var seen = cluster.Current.Index;
            if (managers.View is { Members: [{ Votes: true }] } view && view.Leader == view.Self)
            {
                await cluster.NewerThanAsync(seen, stop); // alone: nobody joins before the state says so
                since = time.GetTimestamp();
                continue;
            }

            await Task.Delay(Pause, time, stop);
            if (Votes && managers.View.Leader is not null)
            {
                since = time.GetTimestamp();
            }
            else if (time.GetElapsedTime(since) >= Lonely)
            {
                since = time.GetTimestamp();
                try
                {
                    await AskAsync(TimeSpan.Zero, stop);
                }
                catch (RpcException refused)
                {
                    log.StillAlone(refused.Detail);
                }
            }
        }
    }

    private bool Votes => managers.View.Of(request.NodeId) is { Votes: true };

    private Task AskAsync(TimeSpan patience, CancellationToken stop) =>
        leader.CallAsync((control, token) => control.AdmitAsync(request, token), patience, stop);
}
