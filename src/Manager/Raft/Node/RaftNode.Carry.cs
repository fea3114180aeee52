using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>Carrying out what the core wants done.</summary>
internal sealed partial class RaftNode
{
    private void CarryAll(CancellationToken stop)
    {
        do
        {
            while (core!.HasReady)
                Carry(core.TakeReady(), stop);
        }
        while (Steer());
        CloseSources(stop);
        aside.RemoveAll(t => t.IsCompletedSuccessfully);
        if (!ticking && !core.Membership.IsAlone(core.Self))
        {
            // With nobody to hear from, an idle single manager stays asleep.
            ticking = true;
            aside.Add(TickAsync(stop));
        }

        Publish();
    }

    private void Carry(Ready ready, CancellationToken stop)
    {
        foreach (var piece in ready.Staged)
            Stage(piece, stop);
        if (ready.Ticket != 0)
            Persist(ready, stop);
        foreach (var message in ready.Messages)
        {
            if (message.Kind == MessageKind.Snapshot)
                SendPiece(message, stop);
            else
                network.Send(message);
        }

        if (ready.AfterPersist.Count > 0)
            promises.Enqueue((core!.LastTicket, ready.AfterPersist));
        if (!core!.IsWriting)
            KeepPromises(core.LastTicket);
        if (restoring > 0)
            backlog.AddRange(ready.Committed);
        else
            Apply(ready.Committed);
        Answer(ready.Reads);
        if (ready.Committed.Count > 0)
            SnapshotIfDue(stop);
    }

    private void Persist(Ready ready, CancellationToken stop)
    {
        if (ready.Install is null && handing.IsCompletedSuccessfully)
        {
            aside.Add(PersistedAsync(journal.WriteAsync(new(ready.HardState, ready.Entries)), ready.Ticket, stop));
            return;
        }

        // The journal obeys in the order in which it is asked: what follows an installation is not asked for before it.
        var handed = HandAsync(handing, ready);
        handing = handed;
        var write = WriteAsync(handed);
        aside.Add(PersistedAsync(write, ready.Ticket, stop));
        if (ready.Install is { } meta)
            Restore(meta, write, stop);
    }

    private async Task<Task> HandAsync(Task before, Ready ready)
    {
        await before;
        if (ready.Install is null)
            return journal.WriteAsync(new(ready.HardState, ready.Entries));
        await staging;
        var installed = intake.InstallAsync(ready.HardState!.Value);
        return ready.Entries.Count == 0 ? installed : Task.WhenAll(installed, journal.WriteAsync(new(null, ready.Entries)));
    }

    private static async Task WriteAsync(Task<Task> handed) => await await handed;

    /// <summary>The loop goes on meanwhile; completion comes back as a message.</summary>
    private async Task PersistedAsync(Task write, ulong ticket, CancellationToken stop)
    {
        try
        {
            await write;
            await inbox.SendAsync(new NodeMessage.Persisted(ticket), stop);
        }
        catch (Exception failure)
        {
            await TellBrokenAsync(failure, stop);
        }
    }

    private void KeepPromises(ulong ticket)
    {
        while (promises.TryPeek(out var promise) && promise.Ticket <= ticket)
        {
            foreach (var message in promises.Dequeue().Messages)
            {
                if (message.To == core!.Self)
                    core.Step(message);
                else
                    network.Send(message);
            }
        }
    }

    private void Apply(IReadOnlyList<Entry> committed)
    {
        foreach (var entry in committed)
        {
            applied = entry.Index;
            bytesSinceSnapshot += entry.Data.Length;
            if (entry.Kind == EntryKind.Command)
                machine.Apply(entry.Index, entry.Data);
            while (pending.TryPeek(out var oldest) && oldest.Index <= entry.Index)
            {
                var (index, term, done) = pending.Dequeue();
                if (index == entry.Index && term == entry.Term)
                    done.TrySetResult(index);
                else
                    done.TrySetException(new ProposalDroppedException("another leader's entry took its place"));
            }
        }
    }

    private void Answer(IReadOnlyList<ReadPoint> points)
    {
        foreach (var (through, index) in points)
        {
            while (reads.TryPeek(out var read) && read.Read <= through)
            {
                reads.Dequeue();
                if (index is { } wanted)
                    awaiting.Enqueue(read.Done, wanted);
                else
                    read.Done.TrySetException(new ProposalDroppedException("the leader was lost before it answered"));
            }
        }

        while (awaiting.TryPeek(out var done, out var wanted) && wanted <= applied)
        {
            awaiting.Dequeue();
            done.TrySetResult(wanted);
        }
    }

    private async Task TellBrokenAsync(Exception failure, CancellationToken stop)
    {
        if (failure is OperationCanceledException && stop.IsCancellationRequested)
            return;
        try
        {
            await inbox.SendAsync(new NodeMessage.Broke(failure), stop);
        }
        catch (OperationCanceledException)
        {
            // the loop has ended, and what broke broke after it
        }
    }
}
