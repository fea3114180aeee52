using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Who the shim is, and its end.</summary>
internal sealed class ControlService(string version, LocalRuntime runtime, CancellationTokenSource stop) : IShimService
{
    internal const string ServiceName = "shim";
    internal const string Hello = "hello";
    internal const string Shutdown = "shutdown";

    public string Name => ServiceName;

    public async Task HandleAsync(string operation, ReadOnlyMemory<byte> request, Func<ReadOnlyMemory<byte>, ValueTask> reply, CancellationToken stopRequest)
    {
        switch (operation)
        {
            case Hello:
                var about = new ShimIdentity(version, Environment.ProcessId, ShimIdentity.CurrentProtocol);
                await reply(JsonSerializer.SerializeToUtf8Bytes(about, ShimJson.Default.ShimIdentity));
                break;
            case Shutdown when runtime.Running > 0:
                throw new ShimException($"The shim does not stop: {runtime.Running} containers run.");
            case Shutdown:
                await stop.CancelAsync();
                break;
            default:
                throw new ShimException($"The shim has no operation '{operation}'.");
        }
    }
}

/// <summary>What a shim says of itself.</summary>
/// <param name="Protocol">Raised when daemon and shim would misunderstand each other.</param>
internal sealed record ShimIdentity(string Version, int Pid, int Protocol)
{
    internal const int CurrentProtocol = 1;
}

[JsonSerializable(typeof(ShimIdentity))]
internal sealed partial class ShimJson : JsonSerializerContext;
