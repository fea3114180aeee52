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
    /// Completes when the write is durable; writes asked for meanwhile share one transaction. Who waits may go on from the journal's own
    /// thread, and must not hold it up.
    /// </summary>
    Task WriteAsync(JournalWrite write);

    /// <summary>Stores a snapshot and then forgets what it makes superfluous: older snapshots, and entries through <paramref name="compactThrough"/>.</summary>
    Task SaveSnapshotAsync(SnapshotMeta meta, ReadOnlyMemory<byte> state, ulong compactThrough);

    /// <summary>Replaces log and snapshot by a snapshot received from the leader, with the hard state that goes with it, in one transaction.</summary>
    Task InstallSnapshotAsync(SnapshotMeta meta, ReadOnlyMemory<byte> state, HardState hardState);

    /// <summary>Reads the newest snapshot's bytes.</summary>
    Task<(SnapshotMeta Meta, ReadOnlyMemory<byte> State)?> ReadSnapshotAsync(CancellationToken stop);

    /// <summary>Opens the newest snapshot for reading in pieces; null when there is none. It stays readable while newer ones are stored, until it is disposed.</summary>
    async Task<ISnapshotReader?> OpenSnapshotAsync(CancellationToken stop) =>
        await ReadSnapshotAsync(stop) is var (meta, state) ? new WholeSnapshotReader(meta, state) : null;

    /// <summary>Begins a snapshot that is written in pieces. Nothing of it counts before <c>SaveAsync</c> or <c>InstallAsync</c> completes.</summary>
    ISnapshotWriter BeginSnapshot(SnapshotMeta meta) => new WholeSnapshotWriter(this, meta);
}

/// <summary>A journal that seals what it stores under keys of its own.</summary>
internal interface ISealedJournal : IJournal
{
    /// <summary>A new key seals from now on. Older ones are forgotten when compaction has passed the last entry that is sealed under them.</summary>
    Task RotateKeyAsync();

    /// <summary>Keeps the keys wrapped by an unlock key of 32 bytes from now on, so that the journal opens only for who has it; null: keeps them as they are.</summary>
    Task ProtectKeysAsync(byte[]? unlockKey);
}

/// <summary>One durable step: hard state when it changed, entries when there are some.</summary>
internal sealed record JournalWrite(HardState? HardState, IReadOnlyList<Entry> Entries);

/// <summary>What a journal held when it was opened: entries follow the snapshot without a gap, or overlap it.</summary>
internal sealed record JournalContents(HardState HardState, SnapshotMeta Snapshot, IReadOnlyList<Entry> Entries);
