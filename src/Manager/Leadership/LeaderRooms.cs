using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Dispatch;
using Orchestrator.Manager.Raft;

namespace Orchestrator.Manager.Leadership;

/// <summary>Runs the leader's loops for as long as this manager leads, and ends them before it can lead again.</summary>
internal sealed class LeaderRooms(IProposer proposer, ControlLoop control, Dispatcher dispatcher, ILogger log)
{
    internal async Task RunAsync(CancellationToken stop)
    {
        CancellationTokenSource? term = null;
        var loops = Task.CompletedTask;
        try
        {
            using var watch = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var statuses = proposer.WatchLeadershipAsync(watch.Token).GetAsyncEnumerator(watch.Token);
            var next = statuses.MoveNextAsync().AsTask();
            try
            {
                while (true)
                {
                    if (term is not null)
                        await Task.WhenAny(next, loops);
                    if (loops.IsFaulted)
                        await loops; // ours: a plan or Apply is broken, and nothing good comes from going on
                    if (!await next)
                        return;
                    var status = statuses.Current;
                    if (status.IsLeader && term is null)
                    {
                        log.Leads(status.Term);
                        term = CancellationTokenSource.CreateLinkedTokenSource(stop);
                        loops = RunTermAsync(term.Token);
                    }
                    else if (!status.IsLeader && term is not null)
                    {
                        log.LeadsNoMore(status.Term);
                        await EndAsync(term, loops);
                        term = null;
                    }

                    next = statuses.MoveNextAsync().AsTask();
                }
            }
            finally
            {
                // An iterator can't be disposed while it moves.
                watch.Cancel();
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
                await statuses.DisposeAsync();
            }
        }
        finally
        {
            if (term is not null)
                await EndAsync(term, loops);
        }
    }

    private async Task RunTermAsync(CancellationToken stop)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] loops = [control.RunAsync(both.Token), dispatcher.RunAsync(both.Token)];
        await Task.WhenAny(loops);
        both.Cancel(); // one failed or all are stopped: the other must not go on alone
        await Task.WhenAll(loops);
    }

    private static async Task EndAsync(CancellationTokenSource term, Task loops)
    {
        term.Cancel();
        try
        {
            await loops;
        }
        catch (OperationCanceledException)
        {
            // That is how the loops end.
        }
        finally
        {
            term.Dispose();
        }
    }
}
