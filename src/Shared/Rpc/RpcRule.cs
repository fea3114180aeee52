using Microsoft.AspNetCore.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Shared.Rpc;

/// <summary>Whether one call may be made, and may go on. Every refusal is a sentence.</summary>
internal sealed record RpcRule(RpcAccess Access, Func<PeerIdentity, RpcAccess, string?> Gate, TimeProvider Time)
{
    /// <param name="path">The method's.</param>
    /// <param name="presented">What the handshake told; null on a connection without TLS.</param>
    /// <param name="caller">Who calls, whichever way that is known.</param>
    /// <exception cref="RpcException">The call is refused.</exception>
    internal void Enter(PathString path, IPeerFeature? presented, PeerIdentity? caller)
    {
        if (presented?.Refusal is { } refusal)
            throw new RpcException(RpcStatus.Unauthenticated, refusal);
        if (Access == RpcAccess.Anyone)
            return;
        if (caller is null)
        {
            throw new RpcException(
                RpcStatus.Unauthenticated,
                $"{path} is for nodes of this cluster, and the caller has no certificate: join the cluster first (\"orch swarm join --token …\")");
        }

        // The connection may be older than the certificate's end; a node that renewed in time makes its next calls over a new one.
        if (caller.Expires is { } end && Time.GetUtcNow() > end)
            throw new RpcException(RpcStatus.Unauthenticated, $"the certificate of node {caller.NodeId} expired at {end.UtcDateTime:u}");
        if (Access == RpcAccess.Manager && caller.Role != NodeRole.Manager)
            throw new RpcException(RpcStatus.PermissionDenied, $"{path} is for managers, and node {caller.NodeId} is a worker by its certificate");
        StillHolds(presented);
    }

    /// <summary>A node that was removed or demoted is not heard any more, in a call that began before it either.</summary>
    internal void StillHolds(IPeerFeature? presented)
    {
        if (Access != RpcAccess.Anyone && presented?.Identity is { } peer && Gate(peer, Access) is { } sentence)
            throw new RpcException(RpcStatus.PermissionDenied, sentence);
    }
}
