using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Manager.Certificates;

/// <summary>What the state says against a peer whose certificate is in order: certificates outlive removals and demotions, the state does not.</summary>
internal static class PeerGate
{
    /// <summary>For <see cref="RpcServer.Gate"/> of a node that is a manager.</summary>
    internal static string? Refuse(ClusterState state, PeerIdentity peer, RpcAccess access)
    {
        if (!state.Revocations.TryGetValue(peer.NodeId, out var revocation))
            return null;
        if (revocation.Removed)
            return Removed(peer.NodeId);
        return access == RpcAccess.Manager && peer.Issued is { } issued && issued <= revocation.At
            ? $"node {peer.NodeId} is no manager any more: it was demoted, and its certificate is from before"
            : null;
    }

    internal static string Removed(NodeId node) =>
        $"node {node} is no member of this cluster: it was removed; leave on that node (\"orch swarm leave --force\") and join again with a token";
}
