using System.Collections.Immutable;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State;

/// <summary>The consensus as a set of managers: who is in it, and how the leader changes that.</summary>
internal interface IManagers
{
    /// <summary>The members now.</summary>
    ManagersView View { get; }

    /// <summary>Leader only. Takes a manager in; completes when it votes, at once if it does.</summary>
    /// <exception cref="ClusterUnavailableException">This node leads no more.</exception>
    /// <exception cref="ManagersException">It can't be; the message says why.</exception>
    Task AddAsync(MemberKey member, CancellationToken stop);

    /// <summary>Leader only. Puts a member out, also one whose node is gone; the leader itself hands leadership over.</summary>
    /// <exception cref="ClusterUnavailableException">This node leads no more.</exception>
    /// <exception cref="ManagersException">It can't be; the message says why.</exception>
    Task RemoveAsync(MemberKey member, CancellationToken stop);

    /// <summary>Leader only. Hands leadership to another voter that is heard from; completes when this node leads no more.</summary>
    /// <exception cref="ClusterUnavailableException">This node leads no more.</exception>
    /// <exception cref="ManagersException">There is nobody, or nobody took it.</exception>
    Task HandOverAsync(CancellationToken stop);
}

/// <summary>A member of the consensus by its number there.</summary>
internal readonly record struct MemberKey(ulong Value) : IComparable<MemberKey>
{
    public int CompareTo(MemberKey other) => Value.CompareTo(other.Value);
}

/// <param name="Node">Whose it is; null when the state knows no such node.</param>
/// <param name="Votes">False: it only receives the log yet.</param>
/// <param name="Reachable">The leader hears from it.</param>
internal sealed record ManagerMember(MemberKey Key, NodeId? Node, bool Votes, bool Reachable);

/// <summary>The members of the consensus, in the order of their keys.</summary>
internal sealed record ManagersView(NodeId Self, NodeId? Leader, ImmutableArray<ManagerMember> Members)
{
    internal ManagerMember? Of(NodeId node) => Members.FirstOrDefault(m => m.Node == node);

    /// <summary>Whether the others could still decide anything if this one were not a member.</summary>
    internal bool HasQuorumWithout(MemberKey gone)
    {
        var rest = Members.Where(m => m.Votes && m.Key != gone).ToList();
        return rest.Count(m => m.Reachable) > rest.Count / 2;
    }
}

/// <summary>A change of managers that can't be; the message is a sentence for the operator.</summary>
internal sealed class ManagersException(string message, Exception? inner = null) : Exception(message, inner);
