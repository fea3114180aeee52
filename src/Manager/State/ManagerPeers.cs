using System.Collections.Immutable;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager.State;

/// <summary>The managers as nodes are told of them.</summary>
internal static class ManagerPeers
{
    internal static ImmutableArray<ManagerPeer> Of(ClusterState state) =>
    [
        .. state.Nodes.Values.Where(n => n.ManagerStatus is { Addr.Length: > 0 })
            .Select(n => new ManagerPeer { NodeId = n.Id, Address = n.ManagerStatus!.Addr, Member = n.ManagerStatus.Member }),
    ];
}
