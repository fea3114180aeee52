using System.Text.Json;

using Orchestrator.Worker.Network.State;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Network.Dns;

/// <summary>The daemon's side of the resolver in the shim.</summary>
internal sealed class DnsShimClient(IShimCaller shim)
{
    internal const string Service = "names";

    /// <summary>Returns the port listened on.</summary>
    internal async Task<int> ListenAsync(DnsListen listen, CancellationToken stop)
    {
        var reply = await shim.CallAsync(Service, "listen", JsonSerializer.SerializeToUtf8Bytes(listen, NetworkJson.Default.DnsListen), stop);
        return JsonSerializer.Deserialize(reply.Span, NetworkJson.Default.DnsListening)?.Port
            ?? throw new ShimException($"the shim gave no port for the resolver of {listen.SandboxId}");
    }

    internal Task SetTableAsync(DnsTable table, CancellationToken stop)
        => shim.CallAsync(Service, "table", JsonSerializer.SerializeToUtf8Bytes(table, NetworkJson.Default.DnsTable), stop);

    internal Task ForgetAsync(string sandboxId, CancellationToken stop)
        => shim.CallAsync(Service, "forget", JsonSerializer.SerializeToUtf8Bytes(new DnsForget(sandboxId), NetworkJson.Default.DnsForget), stop);

    internal Task SyncAsync(DnsSync sync, CancellationToken stop)
        => shim.CallAsync(Service, "sync", JsonSerializer.SerializeToUtf8Bytes(sync, NetworkJson.Default.DnsSync), stop);
}
