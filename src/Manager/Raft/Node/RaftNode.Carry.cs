using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>Carrying out what the core wants done.</summary>
internal sealed partial class RaftNode
{
    private async Task CarryAllAsync(CancellationToken stop)
    {
        do
        {
            while (core!.HasReady)
                await CarryAsync(core.TakeReady(), stop);
        }
        while (Steer());
        aside.RemoveAll(t => t.IsCompletedSuccessfully);
        if (!ticking && !core.Membership.IsAlone(core.Self))
        {
            // With nobody to hear from, an idle single manager stays asleep.
            ticking = true;
            aside.Add(TickAsync(stop));
        }

        Publish();
    }

    private async Task CarryAsync(Ready ready, CancellationToken stop)
    {
        if (ready.Ticket != 0)
            aside.Add(PersistAsync(ready, stop));
        foreach (var message in ready.Messages)
            Send(message, stop);
        if (ready.AfterPersist.Count > 0)
            promises.Enqueue((core!.LastTicket, ready.AfterPersist));
        if (!core!.IsWriting)
            KeepPromises(core.LastTicket);
        if (ready.Install is { } install)
        {
            using var state = AsStream(install.SnapshotData);
            await machine.RestoreAsync(state, stop);
            snapshotIndex = install.Snapshot!.Index;
            bytesSinceSnapshot = 0;
            log.SnapshotInstalled(snapshotIndex);
        }

        Apply(ready.Committed);
        Answer(ready.Reads);
        if (ready.Committed.Count > 0)
            SnapshotIfDue(stop);
    }

    /// <summary>The loop goes on meanwhile; completion comes back as a message.</summary>
    private async Task PersistAsync(Ready ready, CancellationToken stop)
    {
        try
        {
            if (ready.Install is { Snapshot: { } meta } install)
                await journal.InstallSnapshotAsync(meta, install.SnapshotData, ready.HardState!.Value);
            if (ready.Install is null || ready.Entries.Count > 0)
                await journal.WriteAsync(new(ready.HardState, ready.Entries));
            await inbox.SendAsync(new NodeMessage.Persisted(ready.Ticket), stop);
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

    private void Send(Message message, CancellationToken stop)
    {
        if (message.Kind == MessageKind.Snapshot)
            aside.Add(SendSnapshotAsync(message, stop));
        else
            network.Send(message);
    }

    private async Task SendSnapshotAsync(Message message, CancellationToken stop)
    {
        try
        {
            // The journal may hold a newer one by now: then that one is sent.
            var (meta, state) = await journal.ReadSnapshotAsync(stop)
                ?? throw new JournalException($"the log begins after a snapshot {message.Snapshot!.Index}, but none is stored");
            network.Send(message with { Snapshot = meta, SnapshotData = state });
        }
        catch (Exception failure)
        {
            await TellBrokenAsync(failure, stop);
        }
    }

    private void Apply(IReadOnlyList<Entry> committed)
    {
        foreach (var entry in committed)
        {
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

        while (awaiting.TryPeek(out var done, out var wanted) && wanted <= core!.Log.Applied)
        {
            awaiting.Dequeue();
            done.TrySetResult(wanted);
        }
    }

    private void SnapshotIfDue(CancellationToken stop)
    {
        var applied = core!.Log.Applied;
        if (snapshotting || (applied - snapshotIndex < options.SnapshotEntries && bytesSinceSnapshot < options.SnapshotBytes))
            return;
        snapshotting = true;
        snapshotIndex = applied;
        bytesSinceSnapshot = 0;
        var keep = core.Membership.IsAlone(core.Self) ? 0 : options.KeepEntries;
        var meta = new SnapshotMeta(applied, core.Log.TermAt(applied)!.Value, core.Log.MembershipAt(applied));
        aside.Add(TakeSnapshotAsync(meta, applied > keep ? applied - keep : 0, machine.Capture(), stop));
    }

    private async Task TakeSnapshotAsync(SnapshotMeta meta, ulong through, ISnapshot view, CancellationToken stop)
    {
        try
        {
            await Task.Yield(); // the loop finishes its turn before the first byte is written
            using var state = new MemoryStream();
            await view.WriteAsync(state, stop);
            await journal.SaveSnapshotAsync(meta, state.GetBuffer().AsMemory(0, (int)state.Length), through);
            log.SnapshotTaken(meta.Index, state.Length, through);
            await inbox.SendAsync(new NodeMessage.SnapshotStored(meta, through), stop);
        }
        catch (Exception failure)
        {
            await TellBrokenAsync(failure, stop);
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
