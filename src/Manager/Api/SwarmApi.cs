using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary><c>/swarm</c>: this node's cluster.</summary>
internal sealed class SwarmApi(ISwarmNode node, ClusterDoor door)
{
    internal void Map(ApiRouter router)
    {
        router.Map("GET", "/swarm", r => r.ReplyAsync(door.State.Swarm ?? throw new ApiException(503, ClusterDoor.NoManager)));
        router.Map("POST", "/swarm/init", InitAsync);
        router.Map("POST", "/swarm/leave", LeaveAsync);
        router.Map("POST", "/swarm/update", UpdateAsync);
        router.Map("POST", "/swarm/join", _ => throw new ApiException(
            501, "joining nodes to a cluster is not there yet: this version of orch runs clusters of one node"));
        router.Map("GET", "/swarm/unlockkey", _ => throw new ApiException(501, "this version of orch has no locked managers, so there is no unlock key"));
        router.Map("POST", "/swarm/unlock", _ => throw new ApiException(501, "this version of orch has no locked managers, so there is nothing to unlock"));
    }

    private async Task InitAsync(ApiRequest request)
    {
        // What the stock client always writes and what changes nothing while there is one node.
        var wanted = await request.WholeBodyAsync<SwarmInitRequest>("Spec.CAConfig.NodeCertExpiry");
        var id = await node.InitAsync(wanted, request.Stop);
        await request.ReplyAsync(id.Value);
    }

    private async Task LeaveAsync(ApiRequest request)
    {
        await node.LeaveAsync(request.Flag("force"), request.Stop);
        await request.ReplyAsync(200);
    }

    private async Task UpdateAsync(ApiRequest request)
    {
        foreach (var rotation in new[] { "rotateWorkerToken", "rotateManagerToken", "rotateManagerUnlockKey" })
        {
            if (request.Flag(rotation))
                throw new ApiException(501, $"{rotation} is not there yet: this version of orch has no join tokens");
        }

        var spec = await request.WholeBodyAsync<SwarmSpec>("CAConfig.NodeCertExpiry");
        await door.ProposeAsync(new UpdateSwarm(request.Number("version"), spec) { At = door.Now }, request.Stop);
        await request.ReplyAsync(200);
    }
}
