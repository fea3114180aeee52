namespace Orchestrator.Manager.Raft.Storage;

/// <summary>The thread: gathers, commits, answers.</summary>
internal sealed partial class Journal
{
    // A transaction ends here, so that one that waits is not held up by the sum of all that came before it.
    private const int MostEntries = 4096;
    private const int MostBytes = 4 << 20;
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(5);

    // From a commit that takes so long it pays to wait for those whose writes the one before answered, until nobody comes for a moment.
    private static readonly TimeSpan SlowCommit = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan Lull = TimeSpan.FromMilliseconds(1);

    private readonly List<Work> gathered = [];
    private (long Answered, int Entries, TimeSpan Took) before;
    private int expected;
    private int asked;
    private JournalException? broken;
    private JournalSeal? seal;
    private JournalTip? tip;
    private JournalHead head = JournalHead.New;

    private void Run()
    {
        while (true)
        {
            if (queue.TryTake(out var first, HasToTidy ? Quiet : Timeout.InfiniteTimeSpan))
                Obey(Gather(first));
            else if (queue.IsDone)
                break;
            else
                Commit(batch => Tidy(batch, QuietStep));
        }

        seal?.Dispose();
        tip?.Dispose();
        store.Dispose();
        queue.Dispose();
        ended.SetResult();
    }

    private List<Work> Gather(Work first)
    {
        gathered.Clear();
        gathered.Add(first);
        Interlocked.Add(ref asked, -first.Entries);
        if (first.Into is null)
            return gathered;
        var (entries, bytes) = (first.Entries, first.Bytes);
        var isFull = !TakeMore(TimeSpan.Zero, ref entries, ref bytes);
        // With a slow disk writers who wait for their answers fall into two halves, each of which comes while the other is written.
        var since = options.Time.GetElapsedTime(before.Answered);
        if (!isFull && before.Took >= SlowCommit && since < before.Took)
        {
            while (entries < expected && options.Time.GetElapsedTime(before.Answered) < before.Took / 2 && TakeMore(Lull, ref entries, ref bytes))
            {
                // until those who are expected are there, nobody comes any more, or it took half the time of a commit
            }
        }

        return gathered;
    }

    /// <summary>Gathers what is there, or comes within the time. False: enough, or nobody came.</summary>
    private bool TakeMore(TimeSpan wait, ref int entries, ref int bytes)
    {
        var came = wait == TimeSpan.Zero;
        while (gathered[^1].Into is not null && entries < MostEntries && bytes < MostBytes)
        {
            if (!queue.TryTake(out var next, wait))
                return came;
            gathered.Add(next);
            Interlocked.Add(ref asked, -next.Entries);
            entries += next.Entries;
            bytes += next.Bytes;
            (came, wait) = (true, TimeSpan.Zero);
        }

        return false; // something that is no write comes after those that were asked for before it
    }

    private void Obey(List<Work> works)
    {
        if (works[0].Into is not null)
        {
            Commit(batch =>
            {
                foreach (var work in works)
                    work.Into?.Invoke(batch);
                Tidy(batch, BusyStep);
            });
        }

        // Before anybody is answered: who is may ask for the next at once, on this thread.
        before.Answered = options.Time.GetTimestamp();
        expected = before.Entries + Volatile.Read(ref asked);
        foreach (var work in works)
            Answer(work);
    }

    private void Answer(Work work)
    {
        if (broken is null && work.Alone is not null)
        {
            try
            {
                work.Alone();
            }
            catch (Exception failure)
            {
                work.Done.SetException(failure as JournalException ?? new JournalException($"the journal {store.Name} failed: {failure.Message}", failure));
                return;
            }
        }

        if (broken is null)
            work.Done.SetResult();
        else
            work.Done.SetException(broken);
    }

    /// <summary>After a failed write nothing more is written: what was promised in between would stand on sand.</summary>
    private void Commit(Action<JournalBatch> fill)
    {
        if (broken is not null)
            return;
        try
        {
            if (seal is null)
                throw new InvalidOperationException("it is not open");
            var batch = new JournalBatch(head);
            fill(batch);
            var rows = batch.Close(seal);
            var start = options.Time.GetTimestamp();
            store.Commit(rows);
            before = (options.Time.GetTimestamp(), rows.Entries.Count, options.Time.GetElapsedTime(start));
            head = batch.Head;
            tip!.Write(head.Writes);
            if (rows.Entries is [.., var last])
                keyUse[JournalSeal.KeyNumber(last.Payload)] = last.Index;
        }
        catch (Exception failure)
        {
            broken = failure as JournalException ?? new JournalException($"the journal {store.Name} failed: {failure.Message}", failure);
            return;
        }

        ForgetKeys();
    }
}
