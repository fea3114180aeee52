using Orchestrator.Shared.Hosting;

namespace Orchestrator.Shared.Protocol;

/// <summary>Whom to ask for a session and when: a value for one search, that knows no clock. Moments count from the search's beginning.</summary>
internal sealed class DialOrder
{
    private readonly Dictionary<string, Candidate> candidates = new(StringComparer.Ordinal);
    private readonly Backoff again;
    private readonly Func<double> jitter;

    /// <param name="managers">Everybody known.</param>
    /// <param name="last">The one that was lost just now: asked after the others.</param>
    /// <param name="hedge">The first is due at once, each other one so much later.</param>
    /// <param name="again">After a refusal.</param>
    /// <param name="jitter">In [0, 1).</param>
    internal DialOrder(
        IEnumerable<ManagerPeer> managers, string? last, TimeSpan hedge, Backoff again, Func<double> jitter)
    {
        this.again = again;
        this.jitter = jitter;
        var order = managers.DistinctBy(m => m.Address).Select(m => (Peer: m, Rank: m.Address == last ? 2 : jitter()))
            .OrderBy(m => m.Rank).Select(m => m.Peer);
        foreach (var peer in order)
            candidates.Add(peer.Address, new(peer) { Due = hedge * candidates.Count });
    }

    /// <summary>When the next idle one is due; null: all are being asked.</summary>
    internal TimeSpan? Next => candidates.Values.Where(c => !c.Busy).Select(c => (TimeSpan?)c.Due).Min();

    /// <summary>Takes one that is due, the longest first; from then on it is being asked.</summary>
    internal ManagerPeer? Take(TimeSpan now)
    {
        if (candidates.Values.Where(c => !c.Busy && c.Due <= now).MinBy(c => c.Due) is not { } due)
            return null;
        due.Busy = true;
        return due.Peer;
    }

    /// <summary>It refused or could not be reached: the next one need not be waited for, and it is asked again later.</summary>
    /// <param name="leader">Where it says that the leader is: asked at once, unless it is being asked or said no since.</param>
    internal void Refused(ManagerPeer peer, string? leader, TimeSpan now)
    {
        var refused = candidates[peer.Address];
        refused.Busy = false;
        refused.Due = now + again.Delay(++refused.Refusals, jitter());
        if (leader is { Length: > 0 } && leader != peer.Address)
        {
            if (!candidates.TryGetValue(leader, out var hinted))
                candidates.Add(leader, hinted = new(new() { Address = leader }));
            if (hinted is { Busy: false } && !hinted.Hinted)
            {
                hinted.Hinted = true;
                hinted.Due = now;
                return;
            }
        }

        if (candidates.Values.Where(c => c is { Busy: false, Refusals: 0 }).MinBy(c => c.Due) is { } next && next.Due > now)
            next.Due = now;
    }

    private sealed class Candidate(ManagerPeer peer)
    {
        internal ManagerPeer Peer { get; } = peer;
        internal TimeSpan Due { get; set; }
        internal int Refusals { get; set; }
        internal bool Busy { get; set; }

        /// <summary>A hint is followed at once only the first time: two managers that take each other for the leader are not asked without pause.</summary>
        internal bool Hinted { get; set; }
    }
}
