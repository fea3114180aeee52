using System.Diagnostics;

namespace Orchestrator.Manager.Raft.Core;

/// <summary>
/// Raft as a function of its inputs: Ongaro, "Consensus: Bridging Theory and Practice" (the thesis) and "In Search of an
/// Understandable Consensus Algorithm" (the paper). Messages, ticks, proposals and completed writes go in; <see cref="Ready"/> comes out.
/// </summary>
internal sealed partial class RaftCore
{
    private readonly RaftOptions options;
    private readonly Func<int> draw;
    private readonly RaftLog log;
    private readonly List<Message> messages = [];
    private readonly List<Message> afterPersist = [];
    private HardState written;
    private PeerId vote;
    private SnapshotMeta? install;
    private ulong lastTicket;
    private ulong persistedTicket;
    private int electionElapsed;
    private int heartbeatElapsed;
    private int timeout;
    private bool broadcastDue;
    private long ticks;

    /// <param name="voters">Who votes in a log without a snapshot; nobody for one that joins: it waits for a leader to tell it.</param>
    /// <param name="firstRead">A number that no earlier life of this node came near, so that no answer to a read of this node's earlier life is taken for one of this.</param>
    /// <param name="draw">Gives the extra ticks of the next election timeout, from zero to below <see cref="RaftOptions.ElectionTicks"/>.</param>
    internal RaftCore(
        PeerId self, IEnumerable<PeerId> voters, RaftOptions options, HardState hardState, SnapshotMeta snapshot,
        IReadOnlyList<Entry> entries, ulong firstRead, Func<int> draw)
    {
        Self = self;
        matchOf = MatchOf;
        this.options = options;
        this.draw = draw;
        log = new RaftLog(snapshot, entries, hardState.Commit, Membership.Of(voters));
        written = hardState;
        Term = hardState.Term;
        vote = hardState.Vote;
        lastRead = answeredRead = firstRead >> 1; // half the numbers lie ahead
        ResetTimeout();
    }

    internal PeerId Self { get; }

    /// <summary>In force: the newest that the log holds.</summary>
    internal Membership Membership => log.Membership;

    internal ulong Term { get; private set; }

    internal Role Role { get; private set; }

    internal PeerId Leader { get; private set; }

    internal RaftLog Log => log;

    internal bool HasReady =>
        install is not null || log.HasUnwritten || log.Applied < log.Commit || messages.Count > 0 || afterPersist.Count > 0
        || broadcastDue || staged.Count > 0 || readDue || readPoints.Count > 0 || MayConfirm || written.Term != Term || written.Vote != vote;

    /// <summary>Time passes by one tick.</summary>
    internal void Tick()
    {
        electionElapsed++;
        ticks++;
        readDue |= lastRead > answeredRead; // asked again: question or answer may be lost
        if (Role == Role.Leader)
        {
            TickLeader();
            return;
        }

        if (electionElapsed >= timeout && MayCampaign)
            Campaign(transfer: false);
    }

    /// <summary>Appends the bytes if this node leads. Null: it does not, or it is handing leadership over.</summary>
    internal (ulong Index, ulong Term)? Propose(ReadOnlyMemory<byte> data)
    {
        if (Role != Role.Leader || !transferee.IsNone)
            return null;
        AppendOwn(EntryKind.Command, data);
        broadcastDue = true; // proposals that come together leave together
        return (log.Last, Term);
    }

    /// <summary>A message from a peer, also from one that this log does not know as a member: it may be behind (thesis, section 4.1).</summary>
    internal void Step(Message m)
    {
        if (m.Term > Term && !AcceptHigherTerm(m))
            return;
        if (m.Term < Term)
        {
            AnswerStale(m);
            return;
        }

        switch (m.Kind)
        {
            case MessageKind.PreVote or MessageKind.Vote:
                OnVoteRequest(m);
                break;
            case MessageKind.PreVoteReply or MessageKind.VoteReply:
                OnVoteReply(m);
                break;
            case MessageKind.Append:
                FollowLeader(m);
                OnAppend(m);
                break;
            case MessageKind.Heartbeat:
                FollowLeader(m);
                OnHeartbeat(m);
                break;
            case MessageKind.Snapshot:
                FollowLeader(m);
                OnSnapshot(m);
                break;
            case MessageKind.AppendReply:
                OnAppendReply(m);
                break;
            case MessageKind.HeartbeatReply:
                OnHeartbeatReply(m);
                break;
            case MessageKind.TimeoutNow:
                OnTimeoutNow();
                break;
            case MessageKind.SnapshotReply:
                OnSnapshotReply(m);
                break;
            case MessageKind.ReadIndex:
                OnReadIndex(m);
                break;
            case MessageKind.ReadIndexReply:
                OnReadIndexReply(m);
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>The write with this ticket, and so every earlier one, is durable.</summary>
    internal void Persisted(ulong ticket)
    {
        persistedTicket = Math.Max(persistedTicket, ticket);
        log.Persisted(ticket);
        if (Role == Role.Leader)
            AdvanceCommit();
    }

    /// <summary>True while writes are under way: what is in <see cref="Ready.AfterPersist"/> has to wait for the last of them.</summary>
    internal bool IsWriting => persistedTicket < lastTicket;

    /// <summary>The ticket of the newest write handed out.</summary>
    internal ulong LastTicket => lastTicket;

    /// <summary>Everything to be done since the last call.</summary>
    internal Ready TakeReady()
    {
        if (broadcastDue && Role == Role.Leader)
            BroadcastAppend();
        broadcastDue = false;
        ForwardReads();
        var hardState = new HardState(Term, vote, log.Commit);
        var changed = written.Term != Term || written.Vote != vote;
        // a commit index alone is not worth a write: a restarted node learns it again from its leader
        var write = changed || log.HasUnwritten || install is not null;
        if (write)
        {
            lastTicket++;
            written = hardState;
        }

        var ready = new Ready
        {
            Ticket = write ? lastTicket : 0,
            HardState = write ? hardState : null,
            Entries = write ? log.TakeUnwritten(lastTicket) : [],
            Staged = [.. staged],
            Install = install,
            Messages = [.. messages],
            AfterPersist = [.. afterPersist],
            Committed = log.TakeCommitted(),
            Reads = [.. readPoints],
        };
        readPoints.Clear();
        staged.Clear();
        install = null;
        messages.Clear();
        afterPersist.Clear();
        return ready;
    }

    private void Send(Message m)
    {
        var stamped = m with { From = Self, Term = m.Term == 0 ? Term : m.Term };
        // A vote, an asked-for vote and an accepted append are promises that a crash must not take back. The rest promises nothing: a leader's
        // messages, a pre-vote, read points. An answered heartbeat says only that this node knows no later term at this moment; whatever
        // a later leader committed before stands on a majority whose terms are on disk (thesis, section 6.4).
        var promises = m.Kind is MessageKind.PreVoteReply or MessageKind.Vote or MessageKind.VoteReply or MessageKind.AppendReply;
        (promises ? afterPersist : messages).Add(stamped);
    }

    private void ResetTimeout()
    {
        electionElapsed = 0;
        timeout = options.ElectionTicks + draw();
    }
}
