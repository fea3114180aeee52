using System.Runtime.CompilerServices;
using System.Text.Json;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>The daemon's runtime: the host's shim, over its socket, which it closes when it is disposed.</summary>
internal sealed partial class ShimRuntime(IShimCaller shim) : IRuntime, IAsyncDisposable
{
    public async Task<StartedContainer> StartAsync(LaunchRequest request, CancellationToken stop)
    {
        var reply = await CallAsync(RuntimeService.Start, JsonSerializer.SerializeToUtf8Bytes(request, RuntimeJson.Default.LaunchRequest), stop);
        return reply.Started ?? throw new RuntimeException("The shim answered a start with nothing.");
    }

    public Task SignalAsync(string id, int signal, CancellationToken stop) => CallAsync(RuntimeService.Signal, Request(id, signal), stop);

    public Task DeleteAsync(string id, CancellationToken stop) => CallAsync(RuntimeService.Delete, Request(id, 0), stop);

    public async Task<IReadOnlyList<ContainerRecord>> ListAsync(CancellationToken stop) =>
        (await CallAsync(RuntimeService.List, ReadOnlyMemory<byte>.Empty, stop)).Containers ?? [];

    public async IAsyncEnumerable<ContainerExit> WatchExitsAsync([EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var item in shim.StreamAsync(RuntimeService.ServiceName, RuntimeService.Exits, ReadOnlyMemory<byte>.Empty, stop))
            yield return Parse(item).Exit!;
    }

    private static byte[] Request(string id, int signal) =>
        JsonSerializer.SerializeToUtf8Bytes(new SignalRequest(id, signal), RuntimeJson.Default.SignalRequest);

    private static RuntimeReply Parse(ReadOnlyMemory<byte> reply)
    {
        var parsed = JsonSerializer.Deserialize(reply.Span, RuntimeJson.Default.RuntimeReply) ?? throw new RuntimeException("The shim answered null.");
        return parsed.Failure is { } failure ? throw new RuntimeException(failure) { ExitCode = parsed.FailureExitCode } : parsed;
    }

    private async Task<RuntimeReply> CallAsync(string operation, ReadOnlyMemory<byte> request, CancellationToken stop)
    {
        try
        {
            return Parse(await shim.CallAsync(RuntimeService.ServiceName, operation, request, stop));
        }
        catch (ShimException error)
        {
            throw new RuntimeException(error.Message, error);
        }
    }
}
