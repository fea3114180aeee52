using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager.Api;

/// <summary>The cluster half of the Engine API.</summary>
internal static class ClusterApi
{
    /// <summary>Maps every resource; what needs a manager answers 503 while none runs here.</summary>
    internal static void Map(ApiRouter router, ISwarmNode node, IHostNetworks host, TimeProvider time, ILoggerFactory logs)
    {
        var door = new ClusterDoor(node, time);
        router.MapFault(ClusterDoor.Translate);
        new SwarmApi(node, door).Map(router);
        new NodeApi(door).Map(router);
        new ServiceApi(door).Map(router);
        new LogApi(door, time, logs.CreateLogger("Orchestrator.Manager.Api.LogApi")).Map(router);
        new TaskApi(door).Map(router);
        new NetworkApi(door, host).Map(router);
        new PayloadApi(door).Map(router);
        new StackApi(door).Map(router);
    }
}
