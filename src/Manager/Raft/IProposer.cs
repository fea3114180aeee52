using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft;

/// <summary>The door through which the control plane changes replicated state and learns who leads.</summary>
internal interface IProposer
{
    /// <summary>Completes with the entry's index after it was committed and applied on this node.</summary>
    /// <exception cref="NotLeaderException">This node does not lead; nothing was appended.</exception>
    /// <exception cref="ProposalDroppedException">
    /// Leadership was lost or the node stopped while the entry was under way: it may still commit. Retry with the same request id.
    /// </exception>
    Task<ulong> ProposeAsync(ReadOnlyMemory<byte> entry, CancellationToken stop);

    /// <summary>
    /// A linearizable read point (Ongaro's thesis, section 6.4): completes when this node has applied everything that was committed before the
    /// call. The leader confirms by a round of heartbeats that it still leads; a follower asks it.
    /// </summary>
    /// <exception cref="NotLeaderException">No leader is known.</exception>
    /// <exception cref="ProposalDroppedException">The leader was lost before it answered, or this node stopped.</exception>
    Task ReadIndexAsync(CancellationToken stop);

    /// <summary>
    /// Leader only. Adds the peer as a learner and makes it a voter when it has caught up; completes when that is committed, at once for
    /// a voter. Who stops waiting takes nothing back: a learner is promoted whenever it has caught up.
    /// </summary>
    /// <exception cref="NotLeaderException">This node does not lead.</exception>
    /// <exception cref="ProposalDroppedException">Leadership was lost meanwhile; ask the next leader.</exception>
    /// <exception cref="MembershipException">The peer was removed meanwhile.</exception>
    Task AddMemberAsync(PeerId peer, CancellationToken stop);

    /// <summary>Leader only. Completes when it is committed, at once for somebody who is no member. A leader that removes itself hands leadership over.</summary>
    /// <exception cref="NotLeaderException">This node does not lead.</exception>
    /// <exception cref="ProposalDroppedException">Leadership was lost meanwhile; ask the next leader.</exception>
    /// <exception cref="MembershipException">It is the last voter.</exception>
    Task RemoveMemberAsync(PeerId peer, CancellationToken stop);

    /// <summary>Leader only. Hands leadership to a voter; completes when this node leads no more.</summary>
    /// <exception cref="NotLeaderException">This node does not lead.</exception>
    /// <exception cref="MembershipException">The peer does not vote, or did not take over within an election timeout.</exception>
    Task TransferAsync(PeerId to, CancellationToken stop);

    LeadershipStatus Current { get; }

    /// <summary>Yields the status now and after every change; a slow reader sees the newest, not every one.</summary>
    IAsyncEnumerable<LeadershipStatus> WatchLeadershipAsync(CancellationToken stop);

    /// <summary>Who is a member, and who is heard from.</summary>
    MembershipView Members { get; }

    /// <summary>Yields the members now and after every change; a slow reader sees the newest, not every one.</summary>
    IAsyncEnumerable<MembershipView> WatchMembersAsync(CancellationToken stop);
}

/// <summary>
/// Who leads, as far as this node knows. <paramref name="IsLeader"/> turns true only after everything committed
/// by earlier leaders was applied here (Ongaro's thesis, section 6.4, step 1), so leader loops start from complete state.
/// </summary>
internal sealed record LeadershipStatus(ulong Term, PeerId? Leader, bool IsLeader)
{
    internal static readonly LeadershipStatus Unknown = new(0, null, false);
}

/// <summary>A proposal came to a node that does not lead.</summary>
internal sealed class NotLeaderException(PeerId? leader)
    : Exception(leader is { } id ? $"this manager is not the leader; manager {id} is" : "this manager is not the leader, and no leader is known")
{
    internal PeerId? LeaderId { get; } = leader;
}

/// <summary>A change of members that cannot be; the message is a sentence for the operator.</summary>
internal sealed class MembershipException(string message) : Exception(message);

/// <summary>The outcome of a proposal is unknown: it may still commit under another leader.</summary>
internal sealed class ProposalDroppedException(string reason) : Exception($"the request was dropped: {reason}");
