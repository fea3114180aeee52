using System.Collections.Immutable;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>Who this voter is, and the lengths of its time and log.</summary>
internal sealed record RaftNodeOptions
{
    /// <summary>Its number, which goes with its journal: with an empty one begins a number that nobody had before.</summary>
    internal required PeerId Self { get; init; }

    /// <summary>Everybody who votes at the log's beginning, this node included; empty for a node that joins and waits for a leader to tell it.</summary>
    internal required ImmutableArray<PeerId> Voters { get; init; }

    /// <summary>Makes this node the only member, over whatever the journal holds: for a cluster whose majority is gone for good.</summary>
    internal bool BeginAnew { get; init; }

    internal RaftOptions Raft { get; init; } = new();

    /// <summary>With ten ticks to an election timeout, of two followers that lose their leader one stands after about a second.</summary>
    internal TimeSpan Tick
    {
        get;
        init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = TimeSpan.FromMilliseconds(80);

    /// <summary>A snapshot is taken after so many entries: a restart applies as many in about a second…</summary>
    internal ulong SnapshotEntries
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 30_000;

    /// <summary>…or after so many bytes of entries, whichever comes first.</summary>
    internal long SnapshotBytes
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 64 << 20;

    /// <summary>Entries kept before a snapshot, so that a follower who lags a little needs no snapshot. A single voter keeps none.</summary>
    internal ulong KeepEntries { get; init; } = 5000;

    /// <summary>Entries kept after a snapshot that is on its way to a follower, so that it needs no second one; beyond that it has to.</summary>
    internal ulong KeepForTransfer { get; init; } = 200_000;
}
