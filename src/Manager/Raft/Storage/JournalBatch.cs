using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>Writes that become one transaction: what they amount to together, from the head that there was.</summary>
internal sealed class JournalBatch(JournalHead head)
{
    private readonly List<Entry> entries = [];
    private readonly List<PieceRow> pieces = [];
    private readonly List<PieceRange> dropped = [];
    private ulong? cutFrom;
    private ulong forgetBelow;
    private SnapshotRow? snapshot;

    internal JournalHead Head { get; private set; } = head with { Writes = head.Writes + 1 };

    internal void Write(JournalWrite write)
    {
        if (write.HardState is { } state)
            Head = Head with { HardState = state };
        if (write.Entries is not [var first, ..])
            return;
        if (first.Index > Head.Last + 1 || first.Index < Head.First)
            throw new InvalidOperationException($"entry {first.Index} was to be written to a journal of {Head.First} to {Head.Last}");
        if (first.Index <= Head.Last)
            Cut(first.Index);
        entries.AddRange(write.Entries);
        Head = Head with { Last = write.Entries[^1].Index };
    }

    internal void Put(PieceRow piece) => pieces.Add(piece);

    internal void Save(SnapshotRow row)
    {
        snapshot = row;
        Head = Head with { Snapshot = row.Index };
    }

    internal void Install(SnapshotRow row, HardState state)
    {
        Cut(0);
        snapshot = row;
        Head = Head with { HardState = state, First = row.Index + 1, Last = row.Index, Snapshot = row.Index };
    }

    /// <summary>Entries before it go; never the last one.</summary>
    internal void Forget(ulong below)
    {
        var to = Math.Min(below, Head.Last);
        if (to <= Head.First)
            return;
        forgetBelow = to;
        entries.RemoveAll(e => e.Index < to);
        Head = Head with { First = to };
    }

    internal void Drop(PieceRange range) => dropped.Add(range);

    internal JournalRows Close(JournalSeal seal)
    {
        var rows = new EntryRow[entries.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            var entry = entries[i];
            var manifest = JournalManifest.Of(entry.Kind);
            rows[i] = new(entry.Index, entry.Term, JournalManifest.SealedOf(entry.Kind), seal.Seal(manifest, entry.Index, entry.Term, entry.Data.Span));
        }

        Span<byte> plain = stackalloc byte[JournalHead.Bytes];
        Head.Encode(plain);
        return new()
        {
            Head = new(Head, seal.Seal(JournalManifest.Head, Head.Writes, 0, plain)),
            CutFrom = cutFrom,
            ForgetBelow = forgetBelow,
            Dropped = dropped,
            Entries = rows,
            Pieces = pieces,
            Snapshot = snapshot,
        };
    }

    private void Cut(ulong from)
    {
        entries.RemoveAll(e => e.Index >= from);
        cutFrom = Math.Min(cutFrom ?? ulong.MaxValue, from);
    }
}
