using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// The journal over a store. One thread owns the store; what is asked for while it writes goes into the next transaction together
/// (group commit), so that one fsync serves many. What compaction has passed goes in small steps, with the writes or when there are none.
/// </summary>
internal sealed partial class Journal : ISealedJournal
{
    private readonly JournalOptions options;
    private readonly IJournalStore store;
    private readonly JournalDamage damage;
    private readonly WorkQueue<Work> queue = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int closed;

    internal Journal(JournalOptions options, IJournalStore store)
    {
        this.options = options;
        this.store = store;
        damage = new(store.Name, options.Directory);
        new Thread(Run) { Name = "journal", IsBackground = true }.Start();
    }

    public async Task<JournalContents> OpenAsync(CancellationToken stop)
    {
        JournalContents? contents = null;
        await Ask(Work.Apart(() => contents = Open())).WaitAsync(stop);
        return contents!;
    }

    public Task WriteAsync(JournalWrite write) => Ask(Work.Write(write));

    public async Task SaveSnapshotAsync(SnapshotMeta meta, ReadOnlyMemory<byte> state, ulong compactThrough)
    {
        await using var writer = new JournalSnapshotWriter(this, meta);
        await writer.AppendAsync(state);
        await writer.SaveAsync(compactThrough);
    }

    public Task InstallSnapshotAsync(SnapshotMeta meta, ReadOnlyMemory<byte> state, HardState hardState)
    {
        // Everything is asked for before this returns: entries that are written after it come after it.
        var writer = new JournalSnapshotWriter(this, meta);
        writer.Append(state.Span);
        return writer.InstallAsync(hardState);
    }

    public ISnapshotWriter BeginSnapshot(SnapshotMeta meta) => new JournalSnapshotWriter(this, meta);

    public async Task<ISnapshotReader?> OpenSnapshotAsync(CancellationToken stop)
    {
        JournalSnapshotReader? reader = null;
        await Ask(Work.Apart(() => reader = Pin())).WaitAsync(stop);
        return reader;
    }

    public async Task<(SnapshotMeta Meta, ReadOnlyMemory<byte> State)?> ReadSnapshotAsync(CancellationToken stop)
    {
        (SnapshotMeta Meta, ReadOnlyMemory<byte> State)? read = null;
        await Ask(Work.Apart(() => read = ReadWhole())).WaitAsync(stop);
        return read;
    }

    public Task RotateKeyAsync() => Ask(Work.Apart(RotateKey));

    public Task ProtectKeysAsync(byte[]? unlockKey)
    {
        if (unlockKey is { Length: not JournalKeys.KeyBytes })
            throw new ArgumentException($"an unlock key has {JournalKeys.KeyBytes} bytes", nameof(unlockKey));
        var by = unlockKey is null ? null : (byte[])unlockKey.Clone();
        return Ask(Work.Apart(() => ProtectKeys(by)));
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref closed, 1) == 0)
        {
            store.GiveUp();
            queue.Close();
        }

        await ended.Task;
    }

    internal Task Ask(Work work)
    {
        Interlocked.Add(ref asked, work.Entries);
        if (!queue.TryAdd(work))
            work.Done.SetException(new JournalException("the journal is closed"));
        return work.Done.Task;
    }

    private static int BytesOf(JournalWrite write)
    {
        var bytes = 0;
        for (var i = 0; i < write.Entries.Count; i++)
            bytes += write.Entries[i].Data.Length;
        return bytes;
    }

    /// <summary>What the thread is asked to do.</summary>
    /// <param name="Into">Part of the next transaction; or null.</param>
    /// <param name="Alone">Something between two transactions; or null.</param>
    internal sealed record Work(Action<JournalBatch>? Into, Action? Alone, int Entries, int Bytes)
    {
        internal TaskCompletionSource Done { get; init; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal static Work Change(Action<JournalBatch> into, int entries, int bytes) => new(into, null, entries, bytes);

        /// <summary>As <see cref="Change"/>, and who waits for it goes on from the journal's own thread: one thread less to be woken for each write.</summary>
        internal static Work Write(JournalWrite write) => new(batch => batch.Write(write), null, write.Entries.Count, BytesOf(write)) { Done = new() };

        internal static Work Apart(Action alone) => new(null, alone, 0, 0);
    }
}
