using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// The journal in one SQLite file. One thread owns the connection; what is asked for while it writes goes into the next
/// transaction together (group commit), so that one fsync serves many.
/// </summary>
internal sealed class SqliteJournal : IJournal
{
    private readonly BlockingCollection<Work> queue = [];
    private readonly SqliteJournalFile file;
    private readonly Thread writer;
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="directory">Made if missing; readable by its owner only.</param>
    /// <param name="persistenceId">Whose events these are; an adapter over another store keeps many in one table.</param>
    internal SqliteJournal(string directory, string persistenceId, TimeProvider time)
    {
        file = new SqliteJournalFile(directory, persistenceId, time);
        writer = new Thread(Run) { Name = "journal", IsBackground = true };
        writer.Start();
    }

    public async Task<JournalContents> OpenAsync(CancellationToken stop)
    {
        JournalContents? contents = null;
        await Ask(new(false, () => contents = file.Open())).WaitAsync(stop);
        return contents!;
    }

    public Task WriteAsync(JournalWrite write) => Ask(new(true, () => file.Write(write)));

    public Task SaveSnapshotAsync(SnapshotMeta meta, ReadOnlyMemory<byte> state, ulong compactThrough) =>
        Ask(new(true, () => file.SaveSnapshot(meta, state, compactThrough)));

    public Task InstallSnapshotAsync(SnapshotMeta meta, ReadOnlyMemory<byte> state, HardState hardState) =>
        Ask(new(true, () => file.InstallSnapshot(meta, state, hardState)));

    public async Task<(SnapshotMeta Meta, ReadOnlyMemory<byte> State)?> ReadSnapshotAsync(CancellationToken stop)
    {
        (SnapshotMeta Meta, ReadOnlyMemory<byte> State)? snapshot = null;
        await Ask(new(false, () => snapshot = file.ReadSnapshot())).WaitAsync(stop);
        return snapshot;
    }

    public async ValueTask DisposeAsync()
    {
        queue.CompleteAdding();
        await ended.Task;
        queue.Dispose();
    }

    private Task Ask(Work work)
    {
        try
        {
            queue.Add(work);
        }
        catch (InvalidOperationException closed)
        {
            work.Done.SetException(new JournalException("the journal is closed", closed));
        }

        return work.Done.Task;
    }

    private void Run()
    {
        List<Work> batch = [];
        JournalException? broken = null;
        foreach (var first in queue.GetConsumingEnumerable())
        {
            batch.Add(first);
            while (first.IsWrite && batch[^1].IsWrite && queue.TryTake(out var next))
                batch.Add(next);

            // A read that ended the gathering comes after the writes, alone.
            var writes = batch.TakeWhile(w => w.IsWrite).ToList();
            if (writes.Count > 0)
                broken = Obey(writes, broken);
            foreach (var read in batch.Skip(writes.Count))
                broken = Obey([read], broken);
            batch.Clear();
        }

        file.Dispose();
        ended.SetResult();
    }

    /// <summary>After a failed write nothing more is written: what was promised in between would stand on sand.</summary>
    private JournalException? Obey(List<Work> works, JournalException? broken)
    {
        if (broken is null)
        {
            try
            {
                if (works[0].IsWrite)
                    file.InTransaction(() => works.ForEach(w => w.Do()));
                else
                    works[0].Do();
            }
            catch (JournalException e)
            {
                broken = e;
            }
            catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException or DllNotFoundException)
            {
                broken = new JournalException($"the journal {file.Path} failed: {e.Message}", e);
            }
        }

        foreach (var work in works)
        {
            if (broken is null)
                work.Done.SetResult();
            else
                work.Done.SetException(broken);
        }

        return broken;
    }

    private sealed record Work(bool IsWrite, Action Do)
    {
        internal TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
