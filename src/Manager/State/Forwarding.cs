using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.State;

/// <summary>The way to another manager's log. The network is one implementation, the simulation another.</summary>
internal interface ILeaderLink
{
    /// <summary>Has the leader append the command; completes when it is applied there.</summary>
    /// <exception cref="LeaderUnreachableException">It was not reached, or leads no more: the command may have been appended all the same.</exception>
    Task<Outcome> ProposeAsync(PeerId leader, Command command, CancellationToken stop);
}

/// <summary>Whoever was thought to lead did not take it; another one may.</summary>
internal sealed class LeaderUnreachableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Has writes and reads done by whoever leads, through changes of leader, and gives up when there has been none for longer than an
/// election takes. A write keeps its request id through all attempts, so it is applied once.
/// </summary>
internal sealed class Forwarding(Cluster cluster, PeerId self, IProposer log, ILeaderLink link, TimeProvider time) : IDisposable
{
    /// <summary>So long without a leader, or without one that answers, and callers are told.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>So long with a leader that others hear and this manager does not, and readers are told.</summary>
    private static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Delay takes whole milliseconds: a part of one would be none, and the wait would spin.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    private volatile Lead lead = new(null, time.GetTimestamp());

    /// <summary>Follows who leads, until cancelled.</summary>
    internal async Task RunAsync(CancellationToken stop)
    {
        await foreach (var status in log.WatchLeadershipAsync(stop))
        {
            var before = lead;
            if (status.Leader == before.Leader)
                continue;
            lead = new(status.Leader, time.GetTimestamp());
            before.Dispose(); // attempts with the former leader begin again
        }
    }

    public void Dispose() => lead.Dispose();

    /// <summary>Completes when the leader has applied the command and so has this node.</summary>
    /// <exception cref="ClusterUnavailableException">There is no leader; the message says what to do.</exception>
    internal Task<Outcome> ProposeAsync(Command command, CancellationToken stop)
    {
        var sent = false;
        return WithLeaderAsync(AttemptAsync, () => sent, stop);

        async Task<Outcome> AttemptAsync(PeerId leader, CancellationToken attempt)
        {
            sent = true;
            if (leader == self)
                return await cluster.ProposeHereAsync(command, attempt);
            var outcome = await link.ProposeAsync(leader, command, attempt);
            await cluster.ReachAsync(outcome.Index, attempt);
            return outcome;
        }
    }

    /// <summary>Completes when this node's state holds everything that was acknowledged, anywhere, before the call.</summary>
    /// <exception cref="ClusterUnavailableException">There is no leader, or it does not answer this manager; the message says what to do.</exception>
    internal async Task FreshAsync(CancellationToken stop)
    {
        using var late = new CancellationTokenSource(ReadPatience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, late.Token);
        try
        {
            await WithLeaderAsync(
                async (_, attempt) =>
                {
                    await log.ReadIndexAsync(attempt);
                    return true;
                },
                () => false, both.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new ClusterUnavailableException(lead.Leader is null ? NoLeader : Silent);
        }
    }

    private async Task<T> WithLeaderAsync<T>(Func<PeerId, CancellationToken, Task<T>> attempt, Func<bool> unsure, CancellationToken stop)
    {
        long? failing = null;
        var reason = "";
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var now = lead;
            if (now.Leader is not { } leader)
            {
                var left = Patience - time.GetElapsedTime(now.Since);
                if (left <= TimeSpan.Zero)
                    throw new ClusterUnavailableException(NoLeader + (unsure() ? Unsure : ""));
                using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, now.Ended);
                await Task.Delay(left > Least ? left : Least, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
                continue;
            }

            using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, now.Ended);
            try
            {
                return await attempt(leader, both.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested && now.Ended.IsCancellationRequested)
            {
                failing = null; // somebody else leads, or nobody
                continue;
            }
            catch (Exception lost) when (lost is NotLeaderException or ProposalDroppedException or LeaderUnreachableException)
            {
                reason = lost.Message;
            }

            failing ??= time.GetTimestamp();
            if (time.GetElapsedTime(failing.Value) > Patience)
                throw new ClusterUnavailableException($"the leader of the swarm does not answer: {reason}{(unsure() ? Unsure : "")}");
            await Task.Delay(Pause, time, both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    internal const string NoLeader =
        "The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online. "
        + "If they are gone for good, run \"orch swarm init --force-new-cluster\" on one that is left: it goes on alone, with everything the swarm knew.";

    internal const string Silent =
        "This manager can't answer now: the leader of the swarm did not tell it within 5 seconds whether it is up to date. Ask another manager; this one's log says what it is told.";

    private const string Unsure = " Whether this change was made is not known: look before you repeat it.";

    /// <summary>Who leads, since when, and a token that fires when that changes, which disposing is.</summary>
    private sealed class Lead : IDisposable
    {
        private readonly CancellationTokenSource ended = new();

        internal Lead(PeerId? leader, long since)
        {
            Leader = leader;
            Since = since;
            Ended = ended.Token;
        }

        internal PeerId? Leader { get; }
        internal long Since { get; }
        internal CancellationToken Ended { get; }

        public void Dispose()
        {
            ended.Cancel();
            ended.Dispose();
        }
    }
}
