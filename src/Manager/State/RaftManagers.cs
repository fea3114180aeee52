using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State;

/// <summary>Raft's members by the nodes they are.</summary>
/// <param name="number">This manager's own, which the state may not know yet.</param>
internal sealed class RaftManagers(NodeId self, MemberKey number, Cluster cluster, IProposer log) : IManagers
{
    public ManagersView View
    {
        get
        {
            var members = log.Members;
            var names = new Dictionary<MemberKey, NodeId?>();
            foreach (var node in cluster.Current.Nodes.Values)
            {
                if (node.Id != self && node.ManagerStatus is { } status)
                    names[MemberNumber.Of(node.Id, status.Member)] = node.Id;
            }

            names[number] = self;
            return new(
                self,
                log.Current.Leader is { } leader ? names.GetValueOrDefault(new(leader.Value)) : null,
                [
                    .. members.Voters.Concat(members.Learners).Distinct().Order().Select(p => new ManagerMember(
                        new(p.Value), names.GetValueOrDefault(new(p.Value)), members.Voters.Contains(p), members.IsReachable(p))),
                ]);
        }
    }

    public Task AddAsync(MemberKey member, CancellationToken stop) => DoAsync(() => log.AddMemberAsync(new(member.Value), stop));

    public Task RemoveAsync(MemberKey member, CancellationToken stop) => DoAsync(() => log.RemoveMemberAsync(new(member.Value), stop));

    public Task HandOverAsync(CancellationToken stop)
    {
        var members = log.Members;
        var next = members.Voters.Where(v => v.Value != number.Value && members.IsReachable(v)).Cast<PeerId?>().FirstOrDefault();
        return next is { } to ? DoAsync(() => log.TransferAsync(to, stop)) : throw new ManagersException("there is no other manager that could lead");
    }

    private static async Task DoAsync(Func<Task> change)
    {
        try
        {
            await change();
        }
        catch (Exception lost) when (lost is NotLeaderException or ProposalDroppedException)
        {
            throw new ClusterUnavailableException(lost.Message, lost);
        }
        catch (MembershipException refused)
        {
            throw new ManagersException(refused.Message, refused);
        }
    }
}
