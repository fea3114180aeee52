namespace Orchestrator.Manager.Raft.Core;

/// <summary>What a voter is at the moment.</summary>
internal enum Role
{
    Follower,
    PreCandidate,
    Candidate,
    Leader,
}

/// <summary>
/// What the outside has to do now. Order: hand the write to the journal; send <see cref="Messages"/> without waiting for it
/// (thesis, section 10.2.1: the leader writes while its followers do); restore the snapshot; apply <see cref="Committed"/>.
/// </summary>
internal sealed record Ready
{
    /// <summary>Names the write for <see cref="RaftCore.Persisted"/>; zero when there is nothing to write.</summary>
    internal required ulong Ticket { get; init; }

    internal HardState? HardState { get; init; }

    /// <summary>To be stored; the first replaces everything stored at and after its index.</summary>
    internal IReadOnlyList<Entry> Entries { get; init; } = [];

    /// <summary>Pieces of a leader's snapshot to be kept, in order; one from offset zero begins anew.</summary>
    internal IReadOnlyList<StagedPiece> Staged { get; init; } = [];

    /// <summary>A leader's snapshot, staged completely, that replaces log and state, before anything else of this Ready is done.</summary>
    internal SnapshotMeta? Install { get; init; }

    internal IReadOnlyList<Message> Messages { get; init; } = [];

    /// <summary>Promises: to be sent when this write, and every earlier one, is durable (figure 2, "before responding to RPCs").</summary>
    internal IReadOnlyList<Message> AfterPersist { get; init; } = [];

    internal IReadOnlyList<Entry> Committed { get; init; } = [];

    internal IReadOnlyList<ReadPoint> Reads { get; init; } = [];
}

/// <param name="Piece">Holds the bytes.</param>
/// <param name="Reply">To be sent when they are taken in, so that the leader does not send faster than the disk takes; null with the last piece.</param>
internal readonly record struct StagedPiece(Message Piece, Message? Reply);

/// <summary>An answer to <see cref="RaftCore.AskRead"/>.</summary>
/// <param name="Through">Every read with this number or a lower one is meant.</param>
/// <param name="Index">What must be applied first; null when the leader was lost before it answered.</param>
internal readonly record struct ReadPoint(ulong Through, ulong? Index);
