using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State;

/// <summary>Raft's members by the nodes they are.</summary>
internal sealed class RaftManagers(NodeId self, Cluster cluster, IProposer log) : IManagers
{
    private readonly ConcurrentDictionary<NodeId, PeerId> peers = new();

    /// <summary>A voter's number is made from its node's id, so that it needs no registry and survives restarts.</summary>
    internal static PeerId PeerOf(NodeId node) => new(BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(node.Value))) | 1);

    public ManagersView View
    {
        get
        {
            var members = log.Members;
            var names = cluster.Current.Nodes.Keys.ToDictionary(Peer, n => (NodeId?)n);
            names[Peer(self)] = self;
            return new(
                self,
                log.Current.Leader is { } leader ? names.GetValueOrDefault(leader) : null,
                [
                    .. members.Voters.Concat(members.Learners).Distinct().Order()
                        .Select(p => new ManagerMember(new(p.Value), names.GetValueOrDefault(p), members.Voters.Contains(p), members.IsReachable(p))),
                ]);
        }
    }

    public Task AddAsync(NodeId node, CancellationToken stop) => DoAsync(() => log.AddMemberAsync(Peer(node), stop));

    public Task RemoveAsync(MemberKey member, CancellationToken stop) => DoAsync(() => log.RemoveMemberAsync(new(member.Value), stop));

    public Task HandOverAsync(CancellationToken stop)
    {
        var members = log.Members;
        var next = members.Voters.Where(v => v != Peer(self) && members.IsReachable(v)).Cast<PeerId?>().FirstOrDefault();
        return next is { } to ? DoAsync(() => log.TransferAsync(to, stop)) : throw new ManagersException("there is no other manager that could lead");
    }

    private PeerId Peer(NodeId node) => peers.GetOrAdd(node, PeerOf);

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
