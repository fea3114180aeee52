using System.Collections.Immutable;

namespace Orchestrator.Manager.Raft.Core;

/// <summary>What voters say to each other. Numbers are on the wire.</summary>
internal enum MessageKind : byte
{
    /// <summary>"Would you vote for me?", which disturbs nobody (thesis, section 9.6).</summary>
    PreVote = 1,
    PreVoteReply = 2,
    Vote = 3,
    VoteReply = 4,

    /// <summary>AppendEntries: entries after (LogIndex, LogTerm), and the leader's commit index.</summary>
    Append = 5,

    /// <summary>Accepted: LogIndex is the last index known to match. Rejected: LogIndex is the refused one, Hint where to try next.</summary>
    AppendReply = 6,
    Heartbeat = 7,
    HeartbeatReply = 8,

    /// <summary>
    /// A piece of InstallSnapshot (paper, figure 13): which snapshot and from which offset; the node puts in the bytes, the whole's length,
    /// and with the last piece the whole's digest.
    /// </summary>
    Snapshot = 9,

    /// <summary>"Campaign at once": the sender hands its leadership over (thesis, section 3.10).</summary>
    TimeoutNow = 10,

    /// <summary>A follower asks its leader for a read point (thesis, section 6.4): Context names its newest read.</summary>
    ReadIndex = 11,

    /// <summary>LogIndex is what must be applied before the reads through Context may be answered.</summary>
    ReadIndexReply = 12,

    /// <summary>Offset is how much of the snapshot (LogIndex, LogTerm) of Length bytes the follower holds. Rejected: it was not what its digest says.</summary>
    SnapshotReply = 13,
}

/// <summary>One message between voters; which fields count depends on <see cref="Kind"/>.</summary>
internal sealed record Message
{
    internal required MessageKind Kind { get; init; }
    internal PeerId From { get; init; }
    internal PeerId To { get; init; }
    internal ulong Term { get; init; }
    internal ulong LogIndex { get; init; }
    internal ulong LogTerm { get; init; }
    internal ulong Commit { get; init; }
    internal bool Reject { get; init; }

    /// <summary>A rejected append's proposal where the logs may still agree, with the follower's term there (thesis, section 3.3's accelerated back-up).</summary>
    internal ulong Hint { get; init; }
    internal ulong HintTerm { get; init; }

    /// <summary>The campaign was asked for by the leader, so nobody's lease on the leader stands against it.</summary>
    internal bool Transfer { get; init; }

    /// <summary>Of a heartbeat and its answer: the round that confirms reads, zero for none. Of read points: the follower's newest read that is meant.</summary>
    internal ulong Context { get; init; }

    /// <summary>Of a heartbeat: the members that the leader does not hear from, so that every manager can say so.</summary>
    internal ImmutableArray<PeerId> Silent { get; init; } = [];
    internal IReadOnlyList<Entry> Entries { get; init; } = [];
    internal SnapshotMeta? Snapshot { get; init; }

    /// <summary>In bytes of the snapshot.</summary>
    internal long Offset { get; init; }
    internal long Length { get; init; }
    internal ReadOnlyMemory<byte> SnapshotData { get; init; }

    /// <summary>SHA-256 of the whole snapshot; empty but in its last piece.</summary>
    internal ReadOnlyMemory<byte> Digest { get; init; }
}
