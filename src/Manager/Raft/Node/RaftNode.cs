using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Manager.Raft.Transport;
using Orchestrator.Shared.Hosting;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>The loop that owns one voter's core and obeys its <see cref="Ready"/>: journal, network, machine, proposals.</summary>
/// <param name="draw">The extra ticks of an election timeout, from zero to below the given bound.</param>
internal sealed partial class RaftNode(
    RaftNodeOptions options, IJournal journal, IPeerNetwork network, IReplicatedMachine machine,
    TimeProvider time, ILogger log, Func<int, int> draw) : IProposer
{
    // Proposers wait for room. Peers' messages find a full inbox rarely and are dropped then: Raft repeats them.
    private readonly Mailbox<NodeMessage> inbox = new(4096, WhenFull.Wait);
    private readonly Board<LeadershipStatus> board = new(LeadershipStatus.Unknown);
    private readonly Board<MembershipView> members = new(MembershipView.None);
    private readonly Queue<(ulong Index, ulong Term, TaskCompletionSource<ulong> Done)> pending = new();
    private readonly Queue<(ulong Ticket, IReadOnlyList<Message> Messages)> promises = new();
    private readonly Queue<(ulong Read, TaskCompletionSource<ulong> Done)> reads = new();
    private readonly PriorityQueue<TaskCompletionSource<ulong>, ulong> awaiting = new();
    private readonly List<Task> aside = [];
    private RaftCore? core;
    private ulong applied;
    private bool ticking;
    private long dropped;

    /// <summary>Peers' messages that found the inbox full.</summary>
    internal long Dropped => Interlocked.Read(ref dropped);

    public LeadershipStatus Current => board.Current;

    public IAsyncEnumerable<LeadershipStatus> WatchLeadershipAsync(CancellationToken stop) => board.WatchAsync(stop);

    public MembershipView Members => members.Current;

    public IAsyncEnumerable<MembershipView> WatchMembersAsync(CancellationToken stop) => members.WatchAsync(stop);

    public Task<ulong> ProposeAsync(ReadOnlyMemory<byte> entry, CancellationToken stop) => AskAsync(new NodeMessage.Proposal(entry, Waiter()), stop);

    public Task ReadIndexAsync(CancellationToken stop) => AskAsync(new NodeMessage.Read(Waiter()), stop);

    private static TaskCompletionSource<ulong> Waiter() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task<ulong> AskAsync(NodeMessage.Request request, CancellationToken stop)
    {
        if (!await inbox.SendAsync(request, stop))
            throw Stopping();
        // Not WaitAsync: over a source that continues asynchronously it goes through the thread pool, and no seed would replay.
        using var cancel = stop.UnsafeRegister(static (done, token) => ((TaskCompletionSource<ulong>)done!).TrySetCanceled(token), request.Done);
        return await request.Done.Task;
    }

    /// <summary>Opens the journal and restores the machine. <see cref="RunAsync"/> comes after it, once.</summary>
    internal async Task StartAsync(CancellationToken stop)
    {
        var stored = await journal.OpenAsync(stop);
        if (options.BeginAnew)
            stored = await BeginAnewAsync(stored);
        if (stored.Snapshot.Index > 0)
            await RestoreMachineAsync(stop);

        core = new RaftCore(
            options.Self, options.Voters, options.Raft, stored.HardState, stored.Snapshot, stored.Entries,
            (ulong)time.GetUtcNow().Ticks, () => draw(options.Raft.ElectionTicks));
        snapshotIndex = applied = stored.Snapshot.Index;
        log.Starts(options.Self, stored.Snapshot.Index, core.Log.Last, core.Term);
        network.Attach(e =>
        {
            if (!inbox.TrySend(new NodeMessage.FromNetwork(e)))
                Interlocked.Increment(ref dropped); // Raft repeats it
        });
    }

    /// <summary>
    /// A membership of this node alone in a new term, after everything that is stored: what others may have had beyond that is given up, nothing
    /// that is here is (as etcd's --force-new-cluster).
    /// </summary>
    private async Task<JournalContents> BeginAnewAsync(JournalContents stored)
    {
        var last = stored.Entries is [.., var newest] ? newest.Index : stored.Snapshot.Index;
        var state = stored.HardState with { Term = stored.HardState.Term + 1, Vote = PeerId.None };
        var alone = new Entry(last + 1, state.Term, EntryKind.Membership, Membership.Of([options.Self]).Encode());
        await journal.WriteAsync(new(state, [alone]));
        await Task.Yield(); // the journal's thread is its own
        log.BeginsAnew(options.Self, alone.Index);
        return stored with { HardState = state, Entries = [.. stored.Entries, alone] };
    }

    /// <summary>Runs until cancelled. An exception means that this voter must not go on: the host stops.</summary>
    internal async Task RunAsync(CancellationToken stop)
    {
        if (core is null)
            throw new InvalidOperationException("StartAsync comes first");
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            if (core.Membership.IsSole(core.Self))
                core.CampaignNow(); // nobody else could be leading
            CarryAll(ending.Token);
            while (await inbox.Reader.WaitToReadAsync(stop))
            {
                // At most one inbox full, so that a stream of messages cannot keep the disk waiting.
                for (var n = 0; n < 4096 && inbox.Reader.TryRead(out var message); n++)
                    Take(message);
                CarryAll(ending.Token);
            }
        }
        finally
        {
            inbox.Close();
            while (inbox.Reader.TryRead(out var message))
            {
                if (message is NodeMessage.Request late)
                    late.Done.TrySetException(Stopping());
            }

            DropAll();
            board.Write(new(core.Term, null, false));
            ending.Cancel();
            await Task.WhenAll(aside);
            await EndSnapshotsAsync();
        }
    }

    private void Take(NodeMessage message)
    {
        switch (message)
        {
            case NodeMessage.Tick:
                core!.Tick();
                break;
            case NodeMessage.FromNetwork(PeerEvent.Received(var m)):
                if (m.To == options.Self) // an earlier manager of this host had another number and another journal: what is asked of it is not this one's to answer
                    core!.Step(m);
                break;
            case NodeMessage.FromNetwork(PeerEvent.Unreachable(var peer)):
                core!.ReportUnreachable(peer);
                break;
            case NodeMessage.FromNetwork(PeerEvent.Broken(var peer)):
                core!.ReportUnreachable(peer);
                if (core.Leader == peer)
                    core.ForgetLeader();
                break;
            case NodeMessage.FromNetwork(PeerEvent.SnapshotSent(var peer, var arrived)):
                if (!arrived)
                    core!.ReportSnapshotLost(peer);
                break;
            case NodeMessage.Proposal(var entry, var done):
                if (core!.Propose(entry) is { } place)
                    pending.Enqueue((place.Index, place.Term, done));
                else
                    done.TrySetException(NotLeader());
                break;
            case NodeMessage.Read(var done):
                if (core!.AskRead() is { } read)
                    reads.Enqueue((read, done));
                else
                    done.TrySetException(NotLeader());
                break;
            case NodeMessage.Persisted(var ticket):
                core!.Persisted(ticket);
                KeepPromises(ticket);
                break;
            case NodeMessage.SnapshotStored(var meta, var through, var bytes):
                core!.Compact(meta, Math.Min(through, meta.Index));
                snapshotBytes = bytes;
                snapshotting = false;
                break;
            case NodeMessage.Request change:
                TakeChange(change);
                break;
            case NodeMessage.Restored(var meta):
                AfterRestore(meta);
                break;
            case NodeMessage.Broke(var failure):
                throw new JournalException($"manager {options.Self} cannot go on: {failure.Message}", failure);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private async Task TickAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(options.Tick, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
                inbox.TrySend(new NodeMessage.Tick());
        }
        catch (OperationCanceledException)
        {
            // the loop ended
        }
    }

    private void Publish()
    {
        var before = board.Current;
        PeerId? leader = core!.Leader.IsNone ? null : core.Leader;
        var leads = core.HasAppliedOwnTerm && restoring == 0;
        if (pending.TryPeek(out var oldest) && (core.Role != Role.Leader || oldest.Term != core.Term))
            DropPending("leadership was lost while it was under way");
        PublishMembers();
        if (before.Term == core.Term && before.Leader == leader && before.IsLeader == leads)
            return;
        var status = new LeadershipStatus(core.Term, leader, leads);
        if (!board.Write(status) || (before.Leader == status.Leader && before.Term == status.Term))
            return;
        if (status.Leader is null)
            DropAwaiting("the leader was lost before everything was here"); // it may take long, and a caller can ask again
        if (status.Leader is { } known)
            log.Leads(known, status.Term);
        else if (before.Leader is not null)
            log.NoLeader(status.Term);
    }

    private NotLeaderException NotLeader() => new(core!.Leader.IsNone || core.Leader == core.Self ? null : core.Leader);

    private static ProposalDroppedException Stopping() => new("this manager is stopping");

    private void DropPending(string reason)
    {
        while (pending.TryDequeue(out var dropped))
            dropped.Done.TrySetException(new ProposalDroppedException(reason));
    }

    private void DropAwaiting(string reason)
    {
        while (awaiting.TryDequeue(out var read, out _))
            read.TrySetException(new ProposalDroppedException(reason));
    }

    private void DropAll()
    {
        DropPending("this manager is stopping");
        while (reads.TryDequeue(out var read))
            read.Done.TrySetException(Stopping());
        DropAwaiting("this manager is stopping");
        changes.ForEach(c => c.Done.TrySetException(Stopping()));
    }
}
