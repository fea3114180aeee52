using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>The daemon's runtime: the host's shim, over its socket, which it closes when it is disposed.</summary>
internal sealed partial class ShimRuntime(IShimCaller shim, Safekeeping? keep = null, ILogger? log = null) : IRuntime, IAsyncDisposable
{
    public async Task<StartedContainer> StartAsync(LaunchRequest request, CancellationToken stop)
    {
        var message = JsonSerializer.SerializeToUtf8Bytes(request, RuntimeJson.Default.LaunchRequest);
        try
        {
            return Kept(await StartAsync(message, stop));
        }
        catch (ShimException lost) when (lost.Lost)
        {
            // The next shim has taken it over when its program was executed and that was noted; otherwise nothing of it is left, and it is started again.
            if ((await ListAsync(stop)).FirstOrDefault(r => r.Id == request.Id) is { } found)
                return new StartedContainer(found.Id, found.Pid, found.StartedAt);
        }
        catch (ShimException error)
        {
            throw new RuntimeException(error.Message, error);
        }
        try
        {
            return Kept(await StartAsync(message, stop));
        }
        catch (ShimException error)
        {
            throw new RuntimeException($"start {request.Id}: {error.Message}", error);
        }
    }

    public Task SignalAsync(string id, int signal, CancellationToken stop) => CallAsync(RuntimeService.Signal, Request(id, signal), stop);

    public async Task DeleteAsync(string id, CancellationToken stop)
    {
        await CallAsync(RuntimeService.Delete, Request(id, 0), stop);
        keep?.Release(id);
    }

    public async Task<IReadOnlyList<ContainerRecord>> ListAsync(CancellationToken stop)
    {
        var records = (await CallAsync(RuntimeService.List, ReadOnlyMemory<byte>.Empty, stop)).Containers ?? [];
        foreach (var running in records.Where(r => r.Exit is null))
            keep?.Keep(running.Id, running.Pid, HoldInputAsync);
        return [.. records.Select(r => r with { Exit = Completed(r.Exit) })];
    }

    public async IAsyncEnumerable<ContainerExit> WatchExitsAsync([EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var item in shim.StreamAsync(RuntimeService.ServiceName, RuntimeService.Exits, ReadOnlyMemory<byte>.Empty, stop))
            yield return Completed(Parse(item).Exit)!;
    }

    private static byte[] Request(string id, int signal) =>
        JsonSerializer.SerializeToUtf8Bytes(new SignalRequest(id, signal), RuntimeJson.Default.SignalRequest);

    private static RuntimeReply Parse(ReadOnlyMemory<byte> reply)
    {
        var parsed = JsonSerializer.Deserialize(reply.Span, RuntimeJson.Default.RuntimeReply) ?? throw new RuntimeException("The shim answered null.");
        return parsed.Failure is { } failure ? throw new RuntimeException(failure) { ExitCode = parsed.FailureExitCode } : parsed;
    }

    private StartedContainer Kept(StartedContainer started)
    {
        keep?.Keep(started.Id, started.Pid, HoldInputAsync);
        return started;
    }

    /// <summary>The daemon may have seen what no shim has.</summary>
    private ContainerExit? Completed(ContainerExit? exit) => exit is { Unknown: true } && keep is not null ? keep.Complete(exit) : exit;

    /// <summary>Not asked again by itself when the shim is lost.</summary>
    private async Task<StartedContainer> StartAsync(ReadOnlyMemory<byte> message, CancellationToken stop)
    {
        await foreach (var reply in shim.StreamAsync(RuntimeService.ServiceName, RuntimeService.Start, message, stop))
            return Parse(reply).Started ?? throw new RuntimeException("The shim answered a start with nothing.");
        throw new RuntimeException("The shim did not answer a start.");
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
