using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Dispatch;

/// <summary>Until when each node is believed to live. A value for the dispatcher's lock; it knows no clock but the moments it is given.</summary>
/// <remarks>Moments are measured on a clock that nobody sets: a correction of the wall clock loses no node.</remarks>
internal sealed class Heartbeats
{
    /// <summary>So many periods without a word and a node is down.</summary>
    internal const int Missed = 3;

    /// <summary>A leader is to be asked no more often than this, by all its nodes together.</summary>
    internal const int MostPerSecond = 500;

    /// <summary>
    /// What a node needs at most to find a new leader, besides the period in which it notices that the old one is gone: the old one's silence
    /// (2 s) and the search among the others.
    /// </summary>
    private static readonly TimeSpan Search = TimeSpan.FromSeconds(4);

    private readonly Dictionary<NodeId, TimeSpan> deadlines = [];

    /// <summary>The period for so many nodes: the wanted one, and longer where that would be too many beats a second.</summary>
    internal static TimeSpan Period(TimeSpan wanted, int nodes)
    {
        var least = TimeSpan.FromSeconds((double)nodes / MostPerSecond);
        return wanted > least ? wanted : least;
    }

    /// <summary>What a new leader waits for nodes that it has not heard of yet: a live one has opened its session by then, so that a change of leaders moves nothing.</summary>
    internal static TimeSpan Grace(TimeSpan period) => (period * 2) + Search;

    internal void Heard(NodeId node, TimeSpan now, TimeSpan period) => deadlines[node] = now + (period * Missed);

    /// <summary>Gives a node that has no session yet until then to open one.</summary>
    internal void Expect(NodeId node, TimeSpan until) => deadlines.TryAdd(node, until);

    internal TimeSpan? Next => deadlines.Count == 0 ? null : deadlines.Values.Min();

    /// <summary>Takes out the nodes whose time is over, in the order of their ids.</summary>
    internal IReadOnlyList<NodeId> TakeLate(TimeSpan now)
    {
        var late = deadlines.Where(d => d.Value <= now).Select(d => d.Key).Order().ToList();
        foreach (var node in late)
            deadlines.Remove(node);
        return late;
    }

    /// <summary>This manager itself was asleep for so long, and heard nobody: the nodes are not to blame.</summary>
    internal void Excuse(TimeSpan asleep)
    {
        foreach (var node in deadlines.Keys.ToList())
            deadlines[node] += asleep;
    }

    internal void Clear() => deadlines.Clear();
}
