using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>Snapshots: taken here, sent to peers in pieces, received in pieces. The loop waits for none of it.</summary>
internal sealed partial class RaftNode
{
    private readonly Dictionary<PeerId, (SnapshotSource Source, Task Last)> sources = [];
    private readonly SnapshotStaging intake = new(journal, network);
    private readonly List<Entry> backlog = [];
    private Task staging = Task.CompletedTask;
    private Task handing = Task.CompletedTask;
    private Task restored = Task.CompletedTask;
    private int restoring;
    private ulong snapshotIndex;
    private long snapshotBytes;
    private long bytesSinceSnapshot;
    private bool snapshotting;

    private void SendPiece(Message ask, CancellationToken stop)
    {
        var (source, last) = sources.TryGetValue(ask.To, out var known) ? known : (new SnapshotSource(journal, options.Raft.PieceBytes), Task.CompletedTask);
        last = SendPieceAsync(last, source, ask, stop);
        sources[ask.To] = (source, last);
        aside.Add(last);
    }

    private async Task SendPieceAsync(Task before, SnapshotSource source, Message ask, CancellationToken stop)
    {
        await before;
        try
        {
            network.Send(await source.FillAsync(ask, stop));
        }
        catch (Exception failure)
        {
            await TellBrokenAsync(failure, stop);
        }
    }

    private void CloseSources(CancellationToken stop)
    {
        if (sources.Count == 0)
            return;
        foreach (var (peer, (source, last)) in sources.ToList())
        {
            if (core!.Followers.TryGetValue(peer, out var follower) && follower.Sending is not null)
                continue;
            sources.Remove(peer);
            aside.Add(CloseAsync(last, source, stop));
        }
    }

    private async Task CloseAsync(Task before, SnapshotSource source, CancellationToken stop)
    {
        await before;
        try
        {
            await source.CloseAsync();
        }
        catch (Exception failure)
        {
            await TellBrokenAsync(failure, stop);
        }
    }

    private void Stage(StagedPiece piece, CancellationToken stop) => staging = StageAsync(staging, piece, stop);

    private async Task StageAsync(Task before, StagedPiece piece, CancellationToken stop)
    {
        await before;
        try
        {
            await intake.TakeAsync(piece);
        }
        catch (Exception failure)
        {
            await TellBrokenAsync(failure, stop);
            throw; // what is not whole is not installed
        }
    }

    /// <summary>The machine's state is read back from the journal when it is durable there; what is committed meanwhile is applied after it.</summary>
    private void Restore(SnapshotMeta meta, Task durable, CancellationToken stop)
    {
        backlog.Clear();
        restoring++;
        restored = RestoreAsync(restored, meta, durable, stop);
        aside.Add(restored);
    }

    private async Task RestoreAsync(Task before, SnapshotMeta meta, Task durable, CancellationToken stop)
    {
        await before;
        try
        {
            await durable;
            await RestoreMachineAsync(stop);
            await inbox.SendAsync(new NodeMessage.Restored(meta), stop);
        }
        catch (Exception failure)
        {
            await TellBrokenAsync(failure, stop);
        }
    }

    private async Task RestoreMachineAsync(CancellationToken stop)
    {
        await using var reader = await journal.OpenSnapshotAsync(stop) ?? throw new JournalException("the journal has no snapshot, but its log begins after one");
        await using var state = new SnapshotReading(reader);
        await machine.RestoreAsync(state, stop);
        snapshotBytes = reader.Length;
    }

    private void AfterRestore(SnapshotMeta meta)
    {
        log.SnapshotInstalled(meta.Index);
        if (--restoring > 0)
            return; // a newer one came meanwhile
        snapshotIndex = applied = meta.Index;
        bytesSinceSnapshot = 0;
        Apply(backlog);
        backlog.Clear();
        Answer([]);
    }

    /// <summary>
    /// Due after so many entries or bytes, and never before the log has grown by as much as the last snapshot weighed: the work of snapshots stays in
    /// proportion to what is written.
    /// </summary>
    private void SnapshotIfDue(CancellationToken stop)
    {
        if (snapshotting || restoring > 0 || bytesSinceSnapshot < snapshotBytes
            || (applied - snapshotIndex < options.SnapshotEntries && bytesSinceSnapshot < options.SnapshotBytes))
            return;
        snapshotting = true;
        snapshotIndex = applied;
        bytesSinceSnapshot = 0;
        var meta = new SnapshotMeta(applied, core!.Log.TermAt(applied)!.Value, core.Log.MembershipAt(applied));
        aside.Add(TakeSnapshotAsync(meta, Needless(), machine.Capture(), stop));
    }

    /// <summary>The last entry that nobody will ask for: some are kept for who lags a little, and all after a snapshot that is on its way to somebody.</summary>
    private ulong Needless()
    {
        var keep = core!.Membership.IsAlone(core.Self) ? 0 : options.KeepEntries;
        var through = applied > keep ? applied - keep : 0;
        foreach (var (peer, follower) in core.Followers)
        {
            if (follower.Sending is { } sending && !core.Silent.Contains(peer) && core.Log.Last - sending.Index < options.KeepForTransfer)
                through = Math.Min(through, sending.Index);
        }

        return through;
    }

    private async Task TakeSnapshotAsync(SnapshotMeta meta, ulong through, ISnapshot view, CancellationToken stop)
    {
        try
        {
            await Task.Yield(); // the loop finishes its turn before the first byte is written
            await using var writer = journal.BeginSnapshot(meta);
            await using var state = new SnapshotWriting(writer, options.Raft.PieceBytes);
            await view.WriteAsync(state, stop);
            await state.FlushAsync(stop);
            await writer.SaveAsync(through);
            log.SnapshotTaken(meta.Index, writer.Length, through);
            await inbox.SendAsync(new NodeMessage.SnapshotStored(meta, through, writer.Length), stop);
        }
        catch (Exception failure)
        {
            await TellBrokenAsync(failure, stop);
        }
    }

    private async Task EndSnapshotsAsync()
    {
        await staging.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext); // it has told what broke
        foreach (var (source, _) in sources.Values)
            await source.CloseAsync();
        await intake.DropAsync();
    }
}
