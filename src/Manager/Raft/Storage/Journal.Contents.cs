using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>Opening, compaction, snapshots' pieces and keys; on the thread.</summary>
internal sealed partial class Journal
{
    private const int BusyStep = 256;
    private const int QuietStep = 1024;
    private const int StepPieces = 8;

    private readonly Dictionary<long, Series> series = [];
    private readonly SortedDictionary<uint, ulong> keyUse = [];
    private StoredSnapshot? snapshot;
    private ulong forgetBelow;

    private bool HasToTidy => broken is null && seal is not null && (Math.Min(forgetBelow, head.Last) > head.First || series.Values.Any(s => s.MayGo));

    private JournalContents Open()
    {
        try
        {
            Directory.CreateDirectory(options.Directory);
            File.SetUnixFileMode(options.Directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var file = new JournalKeyFile(options.Directory, options.SyncDirectory);
            var keys = file.Exists ? JournalKeys.Read(file, options.UnlockKey) : null; // locked is told before anything is touched
            tip = new(options.Directory, options.PersistenceId);
            var acknowledged = tip.Read();
            var rows = store.Open();
            if (keys is null && (acknowledged > 0 || IsSealed(rows)))
                keys = JournalKeys.Read(file, options.UnlockKey); // says that they are missing: they are never made anew
            seal = new(keys ?? JournalKeys.Create(file, options.Time, options.UnlockKey), options.PersistenceId);
            var load = JournalLoad.Of(rows, seal, acknowledged, damage);
            Begin(load, rows);
            return load.Contents;
        }
        catch (Exception failure)
        {
            broken = failure as JournalException ?? new JournalException($"the journal {store.Name} cannot be opened: {failure.Message}", failure);
            throw broken;
        }
    }

    private static bool IsSealed(StoredRows rows) =>
        rows.Head?.Payload is not null || rows.Entries.Any(e => JournalManifest.IsSealed(e.Manifest)) || (rows.Snapshot is { } s && JournalManifest.IsSealed(s.Manifest));

    private void Begin(JournalLoad load, StoredRows rows)
    {
        (head, snapshot) = (load.Head, load.Snapshot);
        foreach (var (key, last) in load.KeyUse)
            keyUse[key] = last;
        foreach (var stored in rows.Series)
            series[stored.Series] = new(stored.From, stored.To, seal!.Keys.Oldest) { IsSuperseded = stored.Series != snapshot?.Series };
        tip!.Write(head.Writes);
        if (rows.TornTail is { } torn)
            options.Log.TornTail(store.Name, torn, head.Last);
    }

    /// <summary>A step of forgetting what compaction and newer snapshots have passed.</summary>
    private void Tidy(JournalBatch batch, uint step)
    {
        if (forgetBelow > batch.Head.First)
            batch.Forget(Math.Min(forgetBelow, batch.Head.First + step));
        if (series.FirstOrDefault(s => s.Value.MayGo) is not { Value: { } old, Key: var which })
            return;
        var to = Math.Min(old.To, old.From + StepPieces);
        batch.Drop(new(which, old.From, to));
        old.From = to;
        if (old.From >= old.To)
            series.Remove(which);
    }

    internal void PutPiece(JournalBatch batch, long which, int number, ReadOnlySpan<byte> bytes)
    {
        if (!series.TryGetValue(which, out var pieces))
            series[which] = pieces = new(0, 0, seal!.Keys.Newest);
        pieces.To = number + 1;
        batch.Put(new(which, number, seal!.Seal(JournalManifest.Piece, (ulong)which, (ulong)number, bytes)));
    }

    internal void Save(JournalBatch batch, StoredSnapshot next, ulong compactThrough)
    {
        if (next.Meta.Index <= batch.Head.Snapshot)
            return; // a leader's newer snapshot was installed while this one was written; its writer drops the pieces
        Supersede(next with { Key = seal!.Keys.Newest });
        batch.Save(next.Seal(seal));
        // The entry at the end of what goes stays: its term is what the next append is checked against.
        forgetBelow = Math.Max(forgetBelow, compactThrough);
    }

    internal void Install(JournalBatch batch, StoredSnapshot next, HardState state)
    {
        Supersede(next with { Key = seal!.Keys.Newest });
        batch.Install(next.Seal(seal), state);
        forgetBelow = 0;
    }

    /// <summary>Pieces of a snapshot that does not count, or not any more.</summary>
    internal void Abandon(long which)
    {
        if (series.TryGetValue(which, out var pieces) && which != snapshot?.Series)
            pieces.IsSuperseded = true;
    }

    private void Supersede(StoredSnapshot next)
    {
        if (snapshot is { } before && series.TryGetValue(before.Series, out var pieces))
            pieces.IsSuperseded = true;
        snapshot = next;
    }

    private JournalSnapshotReader? Pin()
    {
        if (snapshot is null)
            return null;
        if (series.TryGetValue(snapshot.Series, out var pieces))
            pieces.Readers++;
        return new(this, snapshot);
    }

    internal void Unpin(StoredSnapshot read)
    {
        if (series.TryGetValue(read.Series, out var pieces))
            pieces.Readers--;
    }

    internal ReadOnlyMemory<byte> ReadPiece(StoredSnapshot from, int number) => from.Open(number, store.ReadPiece(from.Series, number), seal!, damage);

    private (SnapshotMeta Meta, ReadOnlyMemory<byte> State)? ReadWhole()
    {
        if (snapshot is not { } stored)
            return null;
        if (stored.Whole is { } whole)
            return (stored.Meta, whole);
        var state = new byte[stored.Length];
        for (var i = 0; i < stored.Pieces; i++)
            ReadPiece(stored, i).CopyTo(state.AsMemory(i * StoredSnapshot.PieceBytes));
        return (stored.Meta, state);
    }

    private void RotateKey()
    {
        seal!.Use(seal.Keys.Rotate(options.Time));
        options.Log.KeyRotated(store.Name, seal.Keys.Newest);
    }

    private void ProtectKeys(byte[]? by)
    {
        if (!seal!.Keys.IsProtectedBy(by))
            seal.Use(seal.Keys.Protect(by));
    }

    /// <summary>Keys under which nothing lies any more go. The head is sealed anew with each transaction.</summary>
    private void ForgetKeys()
    {
        var keys = seal!.Keys;
        if (keys.Oldest == keys.Newest)
            return;
        foreach (var unused in keyUse.Where(u => u.Key != keys.Newest && u.Value < head.First).Select(u => u.Key).ToList())
            keyUse.Remove(unused);
        var needed = series.Values.Select(s => s.Key).Concat(keyUse.Keys).Append(keys.Newest).Min();
        if (snapshot is not null)
            needed = Math.Min(needed, snapshot.Key);
        if (needed <= keys.Oldest)
            return;
        try
        {
            seal.Use(keys.Forget(needed));
            options.Log.KeysForgotten(store.Name, needed);
        }
        catch (JournalException e)
        {
            options.Log.KeysKept(e, store.Name, needed);
        }
    }

    /// <summary>The pieces of one snapshot that lie in the store.</summary>
    private sealed class Series(int from, int to, uint key)
    {
        internal int From { get; set; } = from;
        internal int To { get; set; } = to;

        /// <summary>The oldest key that one of them may be sealed under.</summary>
        internal uint Key { get; } = key;

        internal int Readers { get; set; }
        internal bool IsSuperseded { get; set; }
        internal bool MayGo => IsSuperseded && Readers == 0;
    }
}
