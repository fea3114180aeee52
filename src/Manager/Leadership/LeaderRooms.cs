using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Raft;

namespace Orchestrator.Manager.Leadership;

/// <summary>Runs the leader's loops for as long as this manager leads, and ends them before it can lead again.</summary>
/// <param name="proposer">Says when it leads.</param>
/// <param name="loops">Each is run once a term; the first that fails ends the others.</param>
/// <param name="log">The room's.</param>
internal sealed class LeaderRooms(IProposer proposer, IReadOnlyList<Func<CancellationToken, Task>> loops, ILogger log)
{
    internal async Task RunAsync(CancellationToken stop)
    {
        CancellationTokenSource? term = null;
        var work = Task.CompletedTask;
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
                        await Task.WhenAny(next, work);
                    if (work.IsFaulted)
                        await work; // ours: a plan or Apply is broken, and nothing good comes from going on
                    if (!await next)
                        return;
                    var status = statuses.Current;
                    if (status.IsLeader && term is null)
                    {
                        log.Leads(status.Term);
                        term = CancellationTokenSource.CreateLinkedTokenSource(stop);
                        work = RunTermAsync(term.Token);
                    }
                    else if (!status.IsLeader && term is not null)
                    {
                        log.LeadsNoMore(status.Term);
                        await EndAsync(term, work);
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
                await EndAsync(term, work);
        }
    }

    private async Task RunTermAsync(CancellationToken stop)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var running = loops.Select(loop => loop(both.Token)).ToList();
        await Task.WhenAny(running);
        both.Cancel(); // one failed or all are stopped: the others must not go on alone
        await Task.WhenAll(running);
    }

    private static async Task EndAsync(CancellationTokenSource term, Task work)
    {
        term.Cancel();
        try
        {
            await work;
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
