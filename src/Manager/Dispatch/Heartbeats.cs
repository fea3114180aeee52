using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Dispatch;

/// <summary>Until when each node is believed to live. A value for the dispatcher's lock; it knows no clock.</summary>
internal sealed class Heartbeats
{
    /// <summary>So many periods without a word and a node is down.</summary>
    internal const int Missed = 3;

    private readonly Dictionary<NodeId, DateTimeOffset> deadlines = [];

    internal void Heard(NodeId node, DateTimeOffset now, TimeSpan period) => deadlines[node] = now + (period * Missed);

    /// <summary>Gives a node that has no session yet until then to open one.</summary>
    internal void Expect(NodeId node, DateTimeOffset until) => deadlines.TryAdd(node, until);

    internal DateTimeOffset? Next => deadlines.Count == 0 ? null : deadlines.Values.Min();

    /// <summary>Takes out the nodes whose time is over, in the order of their ids.</summary>
    internal IReadOnlyList<NodeId> TakeLate(DateTimeOffset now)
    {
        var late = deadlines.Where(d => d.Value <= now).Select(d => d.Key).Order().ToList();
        foreach (var node in late)
            deadlines.Remove(node);
        return late;
    }

    internal void Clear() => deadlines.Clear();
}
