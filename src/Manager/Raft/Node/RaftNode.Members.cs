using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>Changes of members and of the leader that somebody waits for, and what everybody may know of the members.</summary>
internal sealed partial class RaftNode
{
    private readonly List<NodeMessage.Request> changes = [];
    private readonly HashSet<PeerId> linked = [];
    private Membership? shown;
    private Membership? settled;

    public Task AddMemberAsync(PeerId peer, CancellationToken stop) => AskAsync(new NodeMessage.Add(peer, Waiter()), stop);

    public Task RemoveMemberAsync(PeerId peer, CancellationToken stop) => AskAsync(new NodeMessage.Remove(peer, Waiter()), stop);

    public Task TransferAsync(PeerId to, CancellationToken stop) => AskAsync(new NodeMessage.Transfer(to, Waiter()), stop);

    private void TakeChange(NodeMessage.Request change)
    {
        if (core!.Role != Role.Leader)
            change.Done.TrySetException(NotLeader());
        else if (change is NodeMessage.Transfer(var to, var done) && to != core.Self && !core.TransferTo(to))
            done.TrySetException(new MembershipException($"manager {to} does not vote in this cluster, so it cannot lead"));
        else
            changes.Add(change);
    }

    /// <summary>Answers who waits for a change that is done or impossible, and proposes the next one. True when the core has something new to do.</summary>
    private bool Steer()
    {
        if (changes.Count == 0 && core!.Membership.Learners.IsEmpty)
            return false;
        changes.RemoveAll(c => c.Done.Task.IsCompleted || Answer(c));
        if (core!.Role != Role.Leader || core.IsChanging)
            return false;
        if (changes.Count == 0 && core.Membership.Learners.IsEmpty)
            return false;
        var remove = changes.OfType<NodeMessage.Remove>().Select(r => r.Peer).ToList();
        var add = changes.OfType<NodeMessage.Add>().Select(a => a.Peer).Except(remove).ToList();
        var step = MembershipPlan.Next(core.Membership, add, remove, core.IsCaughtUp);
        foreach (var last in changes.OfType<NodeMessage.Remove>().Where(r => step.Refused.Contains(r.Peer)))
            last.Done.TrySetException(new MembershipException($"manager {last.Peer} is the last one that votes: without it nobody could change or read the state"));
        return step.Changes(core.Membership) && core.ProposeMembership(step.Voters, step.Learners) is not null;
    }

    private bool Answer(NodeMessage.Request change)
    {
        var decided = !core!.IsChanging;
        var now = core.Membership;
        return change switch
        {
            NodeMessage.Add(var peer, var done) when decided && now.Voters.Contains(peer) => done.TrySetResult(core.Log.MembershipIndex),
            NodeMessage.Remove(var peer, var done) when decided && !now.IsMember(peer) => done.TrySetResult(core.Log.MembershipIndex),
            NodeMessage.Transfer(var to, var done) when core.Role != Role.Leader || to == core.Self => done.TrySetResult(core.Log.Last),
            NodeMessage.Transfer(var to, var done) when core.Transferee != to => done.TrySetException(
                new MembershipException($"manager {to} did not take the leadership over within {options.Tick * options.Raft.ElectionTicks}; this one still leads")),
            NodeMessage.Add(var peer, var done) when changes.Any(c => c is NodeMessage.Remove(var gone, _) && gone == peer) =>
                done.TrySetException(new MembershipException($"manager {peer} is being removed")),
            { Done: var done } when core.Role != Role.Leader => done.TrySetException(new ProposalDroppedException("leadership was lost meanwhile")),
            _ => false,
        };
    }

    private void PublishMembers()
    {
        var before = members.Current;
        if (!ReferenceEquals(shown, core!.Membership) || !before.Silent.SequenceEqual(core.Silent))
        {
            shown = core.Membership;
            members.Write(new([.. shown.Electors], shown.Learners, core.Silent));
        }

        if (core.IsChanging || ReferenceEquals(settled, core.Membership))
            return;
        settled = core.Membership;
        // Their last messages, which tell them that they are out, are queued before.
        foreach (var gone in linked.Where(p => !core.Membership.IsMember(p)).ToList())
        {
            linked.Remove(gone);
            network.Forget(gone);
        }

        linked.UnionWith(core.Membership.Peers);
    }
}
