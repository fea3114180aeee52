using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Tests.Simulation.Control;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>A journal over a disk whose syncs take a while: what is asked for meanwhile shares the next one, as in the real journals.</summary>
/// <param name="asked">Sees every write when it is asked for.</param>
/// <param name="installed">Sees every snapshot that replaces the log.</param>
internal sealed class ManagerJournal(ManagerDisk disk, VirtualTime time, Dice dice, Action<JournalWrite> asked, Action<SnapshotMeta> installed) : IJournal
{
    private readonly Queue<TaskCompletionSource> waiting = new();
    private bool syncing;
    private bool over;

    /// <summary>Its process died: nothing is written or answered any more.</summary>
    internal void Crash()
    {
        over = true;
        disk.Crash(dice);
    }

    public Task<JournalContents> OpenAsync(CancellationToken stop)
    {
        var contents = new JournalContents(disk.HardState, disk.Meta, disk.Entries);
        return JournalCheck.Problem(contents) is { } problem
            ? throw new JournalException($"the simulated journal is damaged: {problem}")
            : Task.FromResult(contents);
    }

    public Task<(SnapshotMeta Meta, ReadOnlyMemory<byte> State)?> ReadSnapshotAsync(CancellationToken stop) =>
        Task.FromResult<(SnapshotMeta, ReadOnlyMemory<byte>)?>(disk.Snapshot is { } state ? (disk.Meta, state) : null);

    public Task WriteAsync(JournalWrite write)
    {
        asked(write);
        return HandAsync(() => disk.Write(write.HardState, write.Entries));
    }

    public Task SaveSnapshotAsync(SnapshotMeta meta, ReadOnlyMemory<byte> state, ulong compactThrough) =>
        HandAsync(() => disk.Save(meta, state, compactThrough));

    public Task InstallSnapshotAsync(SnapshotMeta meta, ReadOnlyMemory<byte> state, HardState hardState)
    {
        installed(meta);
        return HandAsync(() => disk.Install(meta, state, hardState));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task HandAsync(Action write)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        disk.Hand(write);
        waiting.Enqueue(done);
        if (!syncing)
            Begin();
        return done.Task;
    }

    private void Begin()
    {
        syncing = true;
        var batch = waiting.Count;
        var length = TimeSpan.FromMicroseconds(200 + dice.Below(dice.Chance(5) ? 30_000 : 2000)) + disk.Slowness;
        time.CreateTimer(_ => End(batch), null, length, Timeout.InfiniteTimeSpan);
    }

    private void End(int batch)
    {
        if (over)
            return;
        if (disk.Fails)
        {
            foreach (var write in waiting)
                write.TrySetException(new JournalException("the simulated disk failed"));
            over = true;
            return;
        }

        disk.Sync(batch);
        for (; batch > 0; batch--)
            waiting.Dequeue().TrySetResult();
        syncing = false;
        if (waiting.Count > 0)
            Begin();
    }
}
