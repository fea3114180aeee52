namespace Orchestrator.Manager.Raft.Core;

/// <summary>Terms, campaigns and votes: paper, sections 5.2 and 5.4.1; thesis, section 9.6 (pre-vote) and 6.2 (a leader without quorum steps down).</summary>
internal sealed partial class RaftCore
{
    private readonly Dictionary<PeerId, bool> votes = [];
    private bool campaignIsTransfer;

    /// <summary>Stands for election at once: the only voter has nobody to wait for.</summary>
    internal void CampaignNow()
    {
        if (Role != Role.Leader && MayCampaign)
            Campaign(transfer: false);
    }

    /// <summary>
    /// The way to the leader broke: this node's lease on it ends, so that a candidate need not wait for it to run out (etcd's ForgetLeader).
    /// A leader that lives is known again with its next heartbeat.
    /// </summary>
    internal void ForgetLeader()
    {
        if (Role == Role.Follower)
            Follow(PeerId.None);
    }

    private void Campaign(bool transfer)
    {
        campaignIsTransfer = transfer;
        votes.Clear();
        ResetTimeout();
        if (Membership.IsSole(Self) || transfer)
        {
            Stand();
            return;
        }

        Role = Role.PreCandidate;
        Follow(PeerId.None);
        votes[Self] = true;
        AskForVotes(MessageKind.PreVote, Term + 1);
    }

    private void Stand()
    {
        BecomeFollower(Term + 1, PeerId.None);
        Role = Role.Candidate;
        vote = Self;
        votes.Clear();
        // The own vote counts when it is durable, like everybody else's: it travels as a message to itself.
        Send(new() { Kind = MessageKind.VoteReply, To = Self });
        AskForVotes(MessageKind.Vote, Term);
    }

    private void AskForVotes(MessageKind kind, ulong term)
    {
        foreach (var voter in Membership.Electors)
        {
            if (voter != Self)
                Send(new() { Kind = kind, To = voter, Term = term, LogIndex = log.Last, LogTerm = log.LastTerm, Transfer = campaignIsTransfer });
        }
    }

    /// <summary>False: the message is dropped, because this node still hears a leader and the asker does not speak for it.</summary>
    private bool AcceptHigherTerm(Message m)
    {
        var asks = m.Kind is MessageKind.PreVote or MessageKind.Vote;
        if (asks && !m.Transfer && !Leader.IsNone && electionElapsed < options.ElectionTicks)
            return false;
        // A pre-vote and its approval speak of a term that nobody has entered yet.
        if (m.Kind == MessageKind.PreVote || (m.Kind == MessageKind.PreVoteReply && !m.Reject))
            return true;
        BecomeFollower(m.Term, m.Kind is MessageKind.Append or MessageKind.Heartbeat or MessageKind.Snapshot ? m.From : PeerId.None);
        return true;
    }

    /// <summary>Tells who lives in an old term about the new one: an outdated leader steps down, an outdated asker catches up.</summary>
    private void AnswerStale(Message m)
    {
        if (m.Kind is MessageKind.Append or MessageKind.Heartbeat or MessageKind.Snapshot)
            Send(new() { Kind = MessageKind.AppendReply, To = m.From, Reject = true, LogIndex = m.LogIndex, Hint = log.Last });
        else if (m.Kind == MessageKind.PreVote)
            Send(new() { Kind = MessageKind.PreVoteReply, To = m.From, Reject = true });
    }

    private void OnVoteRequest(Message m)
    {
        var pre = m.Kind == MessageKind.PreVote;
        var free = vote == m.From || (vote.IsNone && Leader.IsNone) || (pre && m.Term > Term);
        var granted = free && log.IsUpToDate(m.LogIndex, m.LogTerm);
        if (granted && !pre)
        {
            vote = m.From;
            electionElapsed = 0;
        }

        Send(new()
        {
            Kind = pre ? MessageKind.PreVoteReply : MessageKind.VoteReply,
            To = m.From,
            Term = granted ? m.Term : Term,
            Reject = !granted,
        });
    }

    private void OnVoteReply(Message m)
    {
        var wanted = Role switch
        {
            Role.PreCandidate => MessageKind.PreVoteReply,
            Role.Candidate => MessageKind.VoteReply,
            _ => default,
        };
        if (m.Kind != wanted || (Role == Role.PreCandidate && !m.Reject && m.Term != Term + 1))
            return;
        votes.TryAdd(m.From, !m.Reject);
        switch (Membership.Count(votes))
        {
            case Tally.Won when Role == Role.PreCandidate:
                Stand();
                break;
            case Tally.Won:
                BecomeLeader();
                break;
            case Tally.Lost:
                BecomeFollower(Term, PeerId.None);
                break;
            default:
                break;
        }
    }

    private void FollowLeader(Message m)
    {
        if (Role == Role.Leader)
            throw new InvalidOperationException($"two leaders, {Self} and {m.From}, in term {Term}");
        if (Role != Role.Follower || Leader != m.From)
            BecomeFollower(Term, m.From);
        electionElapsed = 0;
    }

    private void BecomeFollower(ulong term, PeerId leader)
    {
        if (term > Term)
        {
            Term = term;
            vote = PeerId.None;
        }

        Role = Role.Follower;
        Follow(leader);
        transferee = PeerId.None;
        followers.Clear();
        ResetTimeout();
    }

    private void BecomeLeader()
    {
        Role = Role.Leader;
        Follow(Self);
        heartbeatElapsed = 0;
        electionElapsed = 0;
        transferee = PeerId.None;
        Silent = [];
        followers.Clear();
        FollowMembership();

        AppendOwn(EntryKind.Empty, default);
        BroadcastAppend();
    }

    /// <summary>A leader that has not heard from a majority for an election timeout may already be replaced: it stops leading.</summary>
    private void CheckQuorum()
    {
        var heard = Membership.HasQuorum(peer => peer == Self || (followers.TryGetValue(peer, out var follower) && follower.RecentlyActive));
        foreach (var follower in followers.Values)
            follower.RecentlyActive = false;
        if (!heard)
            BecomeFollower(Term, PeerId.None);
    }
}
