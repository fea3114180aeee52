using System.Security.Cryptography;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Manager.Api;

/// <summary><c>/swarm</c>: this node's cluster.</summary>
internal sealed class SwarmApi(ISwarmNode node, ClusterDoor door)
{
    internal void Map(ApiRouter router)
    {
        router.Map("GET", "/swarm", InspectAsync);
        router.Map("POST", "/swarm/init", InitAsync);
        router.Map("POST", "/swarm/leave", LeaveAsync);
        router.Map("POST", "/swarm/update", UpdateAsync);
        router.Map("POST", "/swarm/join", JoinAsync);
        router.Map("GET", "/swarm/unlockkey", UnlockKeyAsync);
        router.Map("POST", "/swarm/unlock", UnlockAsync);
    }

    private async Task InitAsync(ApiRequest request)
    {
        var wanted = await request.WholeBodyAsync<SwarmInitRequest>();
        var id = await node.InitAsync(wanted, request.Stop);
        await request.ReplyAsync(id.Value);
    }

    private async Task InspectAsync(ApiRequest request)
    {
        await door.FreshAsync(request.Stop);
        var state = door.State;
        var swarm = state.Swarm ?? throw new ApiException(503, ClusterDoor.NoManager);
        await request.ReplyAsync(state.Security is not { } security ? swarm : security.Show(swarm)! with
        {
            JoinTokens = new() { Worker = security.Token(NodeRole.Worker).Reveal(), Manager = security.Token(NodeRole.Manager).Reveal() },
        });
    }

    private async Task JoinAsync(ApiRequest request)
    {
        await node.JoinAsync(await request.WholeBodyAsync<SwarmJoinRequest>(), request.Stop);
        await request.ReplyAsync(200);
    }

    private async Task UnlockAsync(ApiRequest request)
    {
        var body = await request.WholeBodyAsync<SwarmUnlockRequest>();
        await node.UnlockAsync(body.UnlockKey ?? "", request.Stop);
        await request.ReplyAsync(200);
    }

    private async Task UnlockKeyAsync(ApiRequest request)
    {
        await door.FreshAsync(request.Stop);
        await request.ReplyAsync(new UnlockKeyReply { UnlockKey = door.State.Security?.UnlockKey is { } key ? UnlockKeyText.Write(key) : "" });
    }

    private async Task LeaveAsync(ApiRequest request)
    {
        await node.LeaveAsync(request.Flag("force"), request.Stop);
        await request.ReplyAsync(200);
    }

    private async Task UpdateAsync(ApiRequest request)
    {
        await door.FreshAsync(request.Stop);
        var spec = await request.WholeBodyAsync<SwarmSpec>();
        var state = door.State;
        var before = state.Swarm?.Spec ?? throw new ApiException(503, ClusterDoor.NoManager);
        var wish = new SecurityWish(request.Flag("rotateWorkerToken"), request.Flag("rotateManagerToken"), request.Flag("rotateManagerUnlockKey"));
        var change = state.Security is { } security
            ? SecurityPlan.Plan(security, before, spec, wish, door.Now, RandomNumberGenerator.GetBytes)
            : null;
        var kept = spec with { CaConfig = spec.CaConfig with { SigningCaKey = null } }; // it is with the cluster's secrets now
        await door.ProposeAsync(new UpdateSwarm(request.Number("version"), kept) { At = door.Now, Security = change }, request.Stop);
        await request.ReplyAsync(200);
    }
}
