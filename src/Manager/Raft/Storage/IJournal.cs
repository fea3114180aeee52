using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>Where a voter keeps its log, its hard state and its snapshots. Writes take effect in the order in which they are asked for.</summary>
internal interface IJournal : IAsyncDisposable
{
    /// <summary>Verifies what is stored and returns it.</summary>
    /// <exception cref="JournalException">The journal is damaged or belongs to somebody else; the message says what to do.</exception>
    Task<JournalContents> OpenAsync(CancellationToken stop);

    /// <summary>
    /// Stores the hard state and the entries, the first entry replacing everything stored at and after its index.
    /// Completes when the write is durable; writes asked for meanwhile share one transaction.
    /// </summary>
    Task WriteAsync(JournalWrite write);

    /// <summary>Stores a snapshot and then forgets what it makes superfluous: older snapshots, and entries through <paramref name="compactThrough"/>.</summary>
    Task SaveSnapshotAsync(SnapshotMeta meta, ReadOnlyMemory<byte> state, ulong compactThrough);

    /// <summary>Replaces log and snapshot by a snapshot received from the leader, with the hard state that goes with it, in one transaction.</summary>
    Task InstallSnapshotAsync(SnapshotMeta meta, ReadOnlyMemory<byte> state, HardState hardState);

    /// <summary>Reads the newest snapshot's bytes.</summary>
    Task<(SnapshotMeta Meta, ReadOnlyMemory<byte> State)?> ReadSnapshotAsync(CancellationToken stop);
}

/// <summary>One durable step: hard state when it changed, entries when there are some.</summary>
internal sealed record JournalWrite(HardState? HardState, IReadOnlyList<Entry> Entries);

/// <summary>What a journal held when it was opened: entries follow the snapshot without a gap, or overlap it.</summary>
internal sealed record JournalContents(HardState HardState, SnapshotMeta Snapshot, IReadOnlyList<Entry> Entries);

/// <summary>The journal cannot be used; the message is a sentence for the operator.</summary>
internal sealed class JournalException(string message, Exception? inner = null) : Exception(message, inner);
