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
    private readonly LeadershipBoard board = new();
    private readonly Queue<(ulong Index, ulong Term, TaskCompletionSource<ulong> Done)> pending = new();
    private readonly Queue<(ulong Ticket, IReadOnlyList<Message> Messages)> promises = new();
    private readonly List<Task> aside = [];
    private RaftCore? core;
    private ulong snapshotIndex;
    private long bytesSinceSnapshot;
    private bool snapshotting;
    private bool ticking;

    public LeadershipStatus Current => board.Current;

    public IAsyncEnumerable<LeadershipStatus> WatchLeadershipAsync(CancellationToken stop) => board.WatchAsync(stop);

    public async Task<ulong> ProposeAsync(ReadOnlyMemory<byte> entry, CancellationToken stop)
    {
        var proposal = new NodeMessage.Proposal(entry, new(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!await inbox.SendAsync(proposal, stop))
            throw new ProposalDroppedException("this manager is stopping");
        // Not WaitAsync: over a source that continues asynchronously it goes through the thread pool, and no seed would replay.
        using var cancel = stop.UnsafeRegister(static (done, token) => ((TaskCompletionSource<ulong>)done!).TrySetCanceled(token), proposal.Done);
        return await proposal.Done.Task;
    }

    /// <summary>Asks the leader's loop to hand leadership to a peer; nothing happens when this node does not lead.</summary>
    internal ValueTask<bool> TransferAsync(PeerId to, CancellationToken stop) => inbox.SendAsync(new NodeMessage.Transfer(to), stop);

    /// <summary>Opens the journal and restores the machine. <see cref="RunAsync"/> comes after it, once.</summary>
    internal async Task StartAsync(CancellationToken stop)
    {
        var stored = await journal.OpenAsync(stop);
        if (await journal.ReadSnapshotAsync(stop) is { } snapshot)
        {
            using var state = AsStream(snapshot.State);
            await machine.RestoreAsync(state, stop);
        }

        core = new RaftCore(
            options.Self, options.Voters, options.Raft, stored.HardState, stored.Snapshot, stored.Entries,
            () => draw(options.Raft.ElectionTicks));
        snapshotIndex = stored.Snapshot.Index;
        log.Starts(options.Self, stored.Snapshot.Index, core.Log.Last, core.Term);
        network.Attach(e => inbox.TrySend(new NodeMessage.FromNetwork(e)));
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
            await CarryAllAsync(ending.Token);
            while (await inbox.Reader.WaitToReadAsync(stop))
            {
                // At most one inbox full, so that a stream of messages cannot keep the disk waiting.
                for (var n = 0; n < 4096 && inbox.Reader.TryRead(out var message); n++)
                    Take(message);
                await CarryAllAsync(ending.Token);
            }
        }
        finally
        {
            inbox.Close();
            while (inbox.Reader.TryRead(out var message))
            {
                if (message is NodeMessage.Proposal late)
                    late.Done.TrySetException(new ProposalDroppedException("this manager is stopping"));
            }

            DropPending("this manager is stopping");
            board.Write(new(core.Term, null, false));
            ending.Cancel();
            await Task.WhenAll(aside);
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
                core!.Step(m);
                break;
            case NodeMessage.FromNetwork(PeerEvent.Unreachable(var peer)):
                core!.ReportUnreachable(peer);
                break;
            case NodeMessage.FromNetwork(PeerEvent.SnapshotSent(var peer, var arrived)):
                core!.ReportSnapshot(peer, arrived);
                break;
            case NodeMessage.Proposal(var entry, var done):
                if (core!.Propose(entry) is { } place)
                    pending.Enqueue((place.Index, place.Term, done));
                else
                    done.TrySetException(new NotLeaderException(core.Leader.IsNone || core.Leader == core.Self ? null : core.Leader));
                break;
            case NodeMessage.Persisted(var ticket):
                core!.Persisted(ticket);
                KeepPromises(ticket);
                break;
            case NodeMessage.SnapshotStored(var meta, var through):
                core!.Compact(meta, Math.Min(through, meta.Index));
                snapshotting = false;
                break;
            case NodeMessage.Transfer(var to):
                core!.TransferTo(to);
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
        var status = new LeadershipStatus(core!.Term, core.Leader.IsNone ? null : core.Leader, core.HasAppliedOwnTerm);
        if (pending.TryPeek(out var oldest) && (core.Role != Role.Leader || oldest.Term != core.Term))
            DropPending("leadership was lost while it was under way");
        var before = board.Current;
        if (!board.Write(status) || (before.Leader == status.Leader && before.Term == status.Term))
            return;
        if (status.Leader is { } leader)
            log.Leads(leader, status.Term);
        else if (before.Leader is not null)
            log.NoLeader(status.Term);
    }

    private void DropPending(string reason)
    {
        while (pending.TryDequeue(out var dropped))
            dropped.Done.TrySetException(new ProposalDroppedException(reason));
    }

    private static MemoryStream AsStream(ReadOnlyMemory<byte> bytes) =>
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(bytes, out var part)
            ? new MemoryStream(part.Array!, part.Offset, part.Count, writable: false)
            : new MemoryStream(bytes.ToArray(), writable: false);
}
