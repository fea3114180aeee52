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
        var routes = new ClusterRoutes(router, door);
        new NodeApi(door).Map(routes);
        new ServiceApi(door).Map(routes);
        new LogApi(door, time, logs.CreateLogger("Orchestrator.Manager.Api.LogApi")).Map(routes);
        new TaskApi(door).Map(routes);
        new NetworkApi(door, host).Map(new ClusterRoutes(router, door, orStale: true));
        new PayloadApi(door).Map(routes);
        new StackApi(door).Map(routes);
    }
}
