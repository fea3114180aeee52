namespace Orchestrator.Manager.Raft.Core;

/// <summary>Changes of who is a member: thesis, chapter 4; arbitrary changes by joint consensus, section 4.3.</summary>
internal sealed partial class RaftCore
{
    /// <summary>A change is under way, or its last step is not committed yet.</summary>
    internal bool IsChanging => Membership.IsJoint || log.MembershipIndex > log.Commit;

    /// <summary>
    /// Who is voted out stays needed until that is committed: it may be the only one whose log is complete enough to win the votes of the
    /// others (thesis, section 4.2.2). It does not count itself then.
    /// </summary>
    private bool MayCampaign => Membership.IsVoter(Self) || (log.MembershipIndex > log.Commit && log.MembershipAt(log.MembershipIndex - 1).IsVoter(Self));

    /// <summary>
    /// Begins to replace the members. The second half of a change of voters follows by itself when the first is committed; the change is
    /// done when <see cref="IsChanging"/> is false again.
    /// </summary>
    /// <returns>Null: this node does not lead, hands leadership over, has committed nothing in its term yet, or another change is under way.</returns>
    /// <exception cref="ArgumentException">Nobody would vote, or somebody would vote and learn.</exception>
    internal (ulong Index, ulong Term)? ProposeMembership(IReadOnlyCollection<PeerId> voters, IReadOnlyCollection<PeerId> learners)
    {
        if (voters.Count == 0)
            throw new ArgumentException("a cluster needs a voter", nameof(voters));
        if (learners.Any(voters.Contains))
            throw new ArgumentException("a learner does not vote", nameof(learners));
        // Nothing of its own term committed: an earlier leader's change may still come to light.
        if (Role != Role.Leader || !transferee.IsNone || IsChanging || log.TermAt(log.Commit) != Term)
            return null;
        AppendMembership(Membership.Change(voters, learners));
        broadcastDue = true;
        return (log.Last, Term);
    }

    /// <summary>A learner that could vote at once without holding up the others.</summary>
    internal bool IsCaughtUp(PeerId learner) => followers.TryGetValue(learner, out var follower) && follower.CaughtUp && !Silent.Contains(learner);

    private void AppendMembership(Membership next)
    {
        AppendOwn(EntryKind.Membership, next.Encode());
        FollowMembership();
    }

    /// <summary>Begins to send to new members. Who leaves is sent to until it is decided, so that it can learn of it.</summary>
    private void FollowMembership()
    {
        foreach (var peer in Membership.Peers)
        {
            if (peer != Self && !followers.ContainsKey(peer))
                followers[peer] = new Progress(log.Last + 1, options, ticks) { RecentlyActive = true };
        }
    }

    /// <summary>The newest membership has just been committed, which asks for a next step.</summary>
    private bool MembershipDecided() =>
        log.MembershipIndex <= log.Commit && (Membership.IsJoint || !Membership.IsVoter(Self) || followers.Keys.Any(p => !Membership.Peers.Contains(p)));

    private void FinishMembership()
    {
        if (Membership.IsJoint)
        {
            AppendMembership(Membership.Leave());
            return;
        }

        BroadcastAppend(); // who leaves learns of it before it is forgotten
        foreach (var gone in followers.Keys.Except(Membership.Peers).ToList())
            followers.Remove(gone);
        if (Membership.IsVoter(Self))
            return;
        // It led to the end of a change without being counted (section 4.2.2); the voter that is furthest takes over at once.
        var heir = followers.Where(f => Membership.IsVoter(f.Key)).OrderByDescending(f => f.Value.Match).Select(f => f.Key).FirstOrDefault();
        if (!heir.IsNone)
            Send(new() { Kind = MessageKind.TimeoutNow, To = heir });
        BecomeFollower(Term, PeerId.None);
    }
}
