using Microsoft.Extensions.Logging;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Roles;

/// <summary>How a manager goes, for good or for a while: if it leads, another one does first, so that writes go on at once.</summary>
/// <param name="leader">The way to whichever manager leads.</param>
internal sealed class Departure(NodeId self, IManagers managers, ControlCaller leader, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Hands leadership over and has the leader put this manager out of the consensus; what fails is tried again for as long as there is patience: one that
    /// goes unheard still counts, and of two managers the other one would be left without a majority.
    /// </summary>
    /// <exception cref="RpcException">Nobody could do it; the detail says why.</exception>
    internal async Task ForGoodAsync(TimeSpan patience, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        var why = $"the managers did not answer within {patience.TotalSeconds:0} seconds";
        try
        {
            while (true)
            {
                try
                {
                    await HandOverAsync(managers.View, both.Token);
                    await leader.CallAsync((control, token) => control.LeaveAsync(new() { NodeId = self }, token), patience, both.Token);
                    return;
                }
                catch (Exception failure) when (failure is ManagersException or ClusterUnavailableException)
                {
                    why = failure.Message;
                }

                await Task.Delay(Pause, time, both.Token);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new RpcException(RpcStatus.DeadlineExceeded, why);
        }
    }

    /// <summary>Hands leadership over, if there is somebody who could have it. Best effort: else the others elect one when they miss this one.</summary>
    internal async Task ForAWhileAsync(TimeSpan patience)
    {
        var view = managers.View;
        if (view.Members.Count(m => m.Votes) < 2)
            return;
        using var late = new CancellationTokenSource(patience, time);
        try
        {
            await HandOverAsync(view, late.Token);
        }
        catch (Exception failure) when (failure is ManagersException or ClusterUnavailableException or OperationCanceledException)
        {
            log.StopsAsLeader(failure.Message);
        }
    }

    private Task HandOverAsync(ManagersView view, CancellationToken stop) => view.Leader == view.Self ? managers.HandOverAsync(stop) : Task.CompletedTask;
}
