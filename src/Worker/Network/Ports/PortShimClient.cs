using System.Collections.Immutable;
using System.Text.Json;

using Orchestrator.Worker.Network.State;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Network.Ports;

/// <summary>The daemon's side of the ports that the shim holds.</summary>
internal sealed class PortShimClient(IShimCaller shim)
{
    internal const string Service = "ports";

    internal async Task<PortHeld> HoldAsync(PortHold hold, CancellationToken stop)
    {
        var reply = await shim.CallAsync(Service, "hold", JsonSerializer.SerializeToUtf8Bytes(hold, NetworkJson.Default.PortHold), stop);
        return JsonSerializer.Deserialize(reply.Span, NetworkJson.Default.PortHeld)
            ?? throw new ShimException($"the shim did not say which ports it holds for {hold.Owner}");
    }

    internal Task ReleaseAsync(string owner, ImmutableArray<HeldPort>? ports, CancellationToken stop)
        => shim.CallAsync(Service, "release", JsonSerializer.SerializeToUtf8Bytes(new PortRelease(owner, ports), NetworkJson.Default.PortRelease), stop);

    internal Task SyncAsync(PortSync sync, CancellationToken stop)
        => shim.CallAsync(Service, "sync", JsonSerializer.SerializeToUtf8Bytes(sync, NetworkJson.Default.PortSync), stop);
}
