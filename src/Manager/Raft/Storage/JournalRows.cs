namespace Orchestrator.Manager.Raft.Storage;

/// <summary>An event as a store keeps it: sealed.</summary>
internal readonly record struct EntryRow(ulong Index, ulong Term, string Manifest, byte[] Payload);

/// <summary>A snapshot's row. Its payload names its pieces; journals of format 1 have the state itself there.</summary>
internal sealed record SnapshotRow(ulong Index, ulong Term, string Voters, string Manifest, byte[] Payload);

/// <param name="Series">Which snapshot's: a random number, since two may be under way for one index.</param>
internal readonly record struct PieceRow(long Series, int Number, byte[] Payload);

/// <param name="Payload">The head sealed, or null in a journal of format 1, which has no more than the hard state.</param>
internal sealed record HeadRow(JournalHead Head, byte[]? Payload);

/// <param name="From">The first piece that goes.</param>
/// <param name="To">One after the last.</param>
internal readonly record struct PieceRange(long Series, int From, int To);

/// <summary>One transaction of a store, in this order: what goes, what comes, and the head.</summary>
internal sealed record JournalRows
{
    internal required HeadRow Head { get; init; }

    /// <summary>Every entry at and after it goes; null: none.</summary>
    internal ulong? CutFrom { get; init; }

    /// <summary>Every entry before it goes; zero: none.</summary>
    internal ulong ForgetBelow { get; init; }

    internal IReadOnlyList<PieceRange> Dropped { get; init; } = [];

    internal IReadOnlyList<EntryRow> Entries { get; init; } = [];

    internal IReadOnlyList<PieceRow> Pieces { get; init; } = [];

    /// <summary>Takes the place of the snapshot there is.</summary>
    internal SnapshotRow? Snapshot { get; init; }
}

/// <summary>Everything a store holds of one journal when it is opened, but for the pieces' bytes.</summary>
/// <param name="Head">Null: nothing was ever written.</param>
/// <param name="Series">The snapshots' pieces that lie there, whether their snapshot counts or not.</param>
/// <param name="TornTail">What was found of a write that was not finished, in words, and is dropped; or null.</param>
internal sealed record StoredRows(
    HeadRow? Head, SnapshotRow? Snapshot, IReadOnlyList<EntryRow> Entries, IReadOnlyList<PieceRange> Series, string? TornTail = null);

/// <summary>Where rows lie: a file or a server. Used by one thread.</summary>
internal interface IJournalStore : IDisposable
{
    /// <summary>For sentences: the file, or the server without its password.</summary>
    string Name { get; }

    /// <summary>Makes what is missing, keeps others out, and reads.</summary>
    /// <exception cref="JournalException">In use, foreign, of another version, or damaged; the message says what to do.</exception>
    StoredRows Open();

    /// <summary>Returns when the rows are durable, together or not at all.</summary>
    /// <exception cref="JournalException">They are not, and nothing may be written any more.</exception>
    void Commit(JournalRows rows);

    /// <summary>The piece's bytes, or null when it is not there.</summary>
    byte[]? ReadPiece(long series, int number);

    /// <summary>Ends a wait for a server that does not come back; called from another thread, before the store is disposed.</summary>
    void GiveUp();
}
