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

    LeadershipStatus Current { get; }

    /// <summary>Yields the status now and after every change; a slow reader sees the newest, not every one.</summary>
    IAsyncEnumerable<LeadershipStatus> WatchLeadershipAsync(CancellationToken stop);
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

/// <summary>The outcome of a proposal is unknown: it may still commit under another leader.</summary>
internal sealed class ProposalDroppedException(string reason) : Exception($"the proposal was dropped: {reason}");
