namespace Orchestrator.Manager.Raft.Storage;

/// <summary>The thread: gathers, commits, answers.</summary>
internal sealed partial class Journal
{
    // A transaction ends here, so that one that waits is not held up by the sum of all that came before it.
    private const int MostEntries = 4096;
    private const int MostBytes = 4 << 20;
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(5);

    private readonly List<Work> gathered = [];
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
            else if (queue.IsCompleted)
                break;
            else
                Commit(batch => Tidy(batch, QuietStep));
        }

        seal?.Dispose();
        tip?.Dispose();
        store.Dispose();
        ended.SetResult();
    }

    private List<Work> Gather(Work first)
    {
        gathered.Clear();
        gathered.Add(first);
        var (entries, bytes) = (first.Entries, first.Bytes);
        while (first.Into is not null && entries < MostEntries && bytes < MostBytes && queue.TryTake(out var next))
        {
            gathered.Add(next);
            if (next.Into is null)
                break; // it comes after the writes that were asked for before it
            entries += next.Entries;
            bytes += next.Bytes;
        }

        return gathered;
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
            store.Commit(rows);
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
