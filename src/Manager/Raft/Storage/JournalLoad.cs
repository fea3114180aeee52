using System.Collections.Immutable;
using System.Security.Cryptography;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>What a store's rows say when they are opened and held against their head: the exact contents, or an exception.</summary>
/// <param name="KeyUse">By key number, the last entry that is sealed under it.</param>
internal sealed record JournalLoad(JournalContents Contents, JournalHead Head, StoredSnapshot? Snapshot, ImmutableSortedDictionary<uint, ulong> KeyUse)
{
    /// <param name="acknowledged">The transactions that were promised; zero: not known.</param>
    internal static JournalLoad Of(StoredRows rows, JournalSeal seal, ulong acknowledged, JournalDamage damage)
    {
        if (rows.Head is null && (rows.Entries.Count > 0 || rows.Snapshot is not null))
            throw damage.Of("it has entries, but nothing says what should be there");
        var head = rows.Head is null ? JournalHead.New : HeadOf(rows.Head, seal, damage);
        if (head.Writes < acknowledged)
            throw damage.Lost(head.Writes, acknowledged);
        var snapshot = rows.Snapshot is { } row ? StoredSnapshot.Of(row, seal, damage) : null;
        var entries = new List<Entry>(rows.Entries.Count);
        var use = ImmutableSortedDictionary.CreateBuilder<uint, ulong>();
        foreach (var entry in rows.Entries)
        {
            entries.Add(EntryOf(entry, seal, damage));
            if (JournalManifest.IsSealed(entry.Manifest))
                use[JournalSeal.KeyNumber(entry.Payload)] = entry.Index;
        }

        var contents = new JournalContents(head.HardState, snapshot?.Meta ?? SnapshotMeta.None, entries);
        if (JournalCheck.Problem(contents) is { } problem)
            throw damage.Of(problem);
        if (rows.Head?.Payload is null)
            head = FromBefore(head, contents);
        else if (Difference(head, contents) is { } difference)
            throw damage.Of(difference);
        if (snapshot?.MissingPiece(rows.Series) is { } missing)
            throw damage.Of($"piece {missing} of snapshot {snapshot.Meta.Index} is missing");
        return new(contents, head, snapshot, use.ToImmutable());
    }

    private static JournalHead HeadOf(HeadRow row, JournalSeal seal, JournalDamage damage)
    {
        if (row.Payload is null)
            return row.Head.Writes == 0 ? row.Head : throw damage.Of("the seal of its head is missing");
        JournalHead head;
        try
        {
            head = JournalHead.Decode(seal.Open(JournalManifest.Head, row.Head.Writes, 0, row.Payload));
        }
        catch (CryptographicException e)
        {
            throw damage.Of($"its head cannot be opened: {e.Message}", e);
        }

        return head == row.Head ? head : throw damage.Of($"its head says {row.Head}, and {head} was written");
    }

    /// <summary>Journals of format 1 had no head but the hard state.</summary>
    private static JournalHead FromBefore(JournalHead head, JournalContents contents)
    {
        var last = contents.Entries is [.., var end] ? end.Index : contents.Snapshot.Index;
        return head with { First = contents.Entries is [var first, ..] ? first.Index : last + 1, Last = last, Snapshot = contents.Snapshot.Index };
    }

    private static string? Difference(JournalHead head, JournalContents contents)
    {
        if (contents.Snapshot.Index != head.Snapshot)
            return $"snapshot {head.Snapshot} was stored, and {contents.Snapshot.Index} is there";
        if (contents.Entries.Count == 0)
            return head.Count == 0 ? null : $"entries {head.First} to {head.Last} are missing";
        return contents.Entries[0].Index == head.First && contents.Entries[^1].Index == head.Last
            ? null : $"entries {head.First} to {head.Last} were stored, and {contents.Entries[0].Index} to {contents.Entries[^1].Index} are there";
    }

    private static Entry EntryOf(EntryRow row, JournalSeal seal, JournalDamage damage)
    {
        var kind = JournalManifest.KindOf(JournalManifest.Clear(row.Manifest))
            ?? throw damage.Of($"entry {row.Index} is stored as '{row.Manifest}', which this version does not know");
        if (!JournalManifest.IsSealed(row.Manifest))
            return new(row.Index, row.Term, kind, row.Payload);
        try
        {
            return new(row.Index, row.Term, kind, seal.Open(JournalManifest.Of(kind), row.Index, row.Term, row.Payload));
        }
        catch (CryptographicException e)
        {
            throw damage.Of($"entry {row.Index} cannot be opened: {e.Message}", e);
        }
    }
}
