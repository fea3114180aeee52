using System.Buffers.Binary;
using System.Security.Cryptography;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>Cuts a state into the journal's pieces. A full piece is asked for at once; a few may be under way.</summary>
internal sealed class JournalSnapshotWriter(Journal journal, SnapshotMeta meta) : ISnapshotWriter
{
    private const int MostUnderWay = 4;
    private readonly long series = BinaryPrimitives.ReadInt64BigEndian(RandomNumberGenerator.GetBytes(sizeof(long))) & long.MaxValue;
    private readonly Queue<Task> underWay = new();
    private readonly byte[] piece = new byte[StoredSnapshot.PieceBytes];
    private int filled;
    private int pieces;
    private bool done;

    public SnapshotMeta Meta => meta;

    public long Length { get; private set; }

    public async Task AppendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var some = Math.Min(bytes.Length, piece.Length - filled);
            Append(bytes.Span[..some]);
            bytes = bytes[some..];
            while (underWay.Count > MostUnderWay)
                await underWay.Dequeue();
        }
    }

    /// <summary>Without waiting: the bytes lie in the journal's queue.</summary>
    internal void Append(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        while (!bytes.IsEmpty)
        {
            var some = Math.Min(bytes.Length, piece.Length - filled);
            bytes[..some].CopyTo(piece.AsSpan(filled));
            filled += some;
            bytes = bytes[some..];
            if (filled == piece.Length)
                PutPiece();
        }
    }

    public Task SaveAsync(ulong compactThrough) => Finish((batch, whole) => journal.Save(batch, whole, compactThrough));

    public Task InstallAsync(HardState hardState) => Finish((batch, whole) => journal.Install(batch, whole, hardState));

    /// <summary>What was completed counts, and is not dropped.</summary>
    public async ValueTask DisposeAsync()
    {
        if (pieces == 0)
            return;
        try
        {
            await journal.Ask(Journal.Work.Apart(() => journal.Abandon(series)));
        }
        catch (JournalException)
        {
            // closed or broken: pieces without a snapshot go when it is opened again
        }
    }

    private Task Finish(Action<JournalBatch, StoredSnapshot> finish)
    {
        if (done)
            throw new InvalidOperationException("the snapshot was completed before");
        done = true;
        if (filled > 0)
            PutPiece();
        var whole = new StoredSnapshot(meta, series, Length, null);
        return journal.Ask(Journal.Work.Change(batch => finish(batch, whole), 0, 0)); // after its pieces: they were asked for before it
    }

    private void PutPiece()
    {
        var (number, bytes) = (pieces++, piece.AsSpan(0, filled).ToArray());
        filled = 0;
        underWay.Enqueue(journal.Ask(Journal.Work.Change(batch => journal.PutPiece(batch, series, number, bytes), 0, bytes.Length)));
    }
}

/// <summary>Reads a stored snapshot; while it is not disposed its pieces stay.</summary>
internal sealed class JournalSnapshotReader(Journal journal, StoredSnapshot snapshot) : ISnapshotReader
{
    private bool disposed;

    public SnapshotMeta Meta => snapshot.Meta;

    public long Length => snapshot.Length;

    public async Task<ReadOnlyMemory<byte>> ReadAsync(long offset, CancellationToken stop)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ObjectDisposedException.ThrowIf(disposed, this);
        if (offset >= Length)
            return default;
        var (number, within) = ((int)(offset / StoredSnapshot.PieceBytes), (int)(offset % StoredSnapshot.PieceBytes));
        if (snapshot.Whole is { } whole)
            return whole.Slice((int)offset, Math.Min(StoredSnapshot.PieceBytes - within, whole.Length - (int)offset));
        ReadOnlyMemory<byte> piece = default;
        await journal.Ask(Journal.Work.Apart(() => piece = journal.ReadPiece(snapshot, number))).WaitAsync(stop);
        return piece[within..];
    }

    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        try
        {
            await journal.Ask(Journal.Work.Apart(() => journal.Unpin(snapshot)));
        }
        catch (JournalException)
        {
            // closed or broken: there is nothing to keep or to drop any more
        }
    }
}
