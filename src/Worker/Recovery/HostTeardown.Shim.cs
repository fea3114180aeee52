using Microsoft.Extensions.Logging;
using Orchestrator.Worker.Network;
using Orchestrator.Worker.Runtime.Shim;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Recovery;

internal static partial class HostTeardown
{
    /// <summary>Leaves nothing of the instance but its two roots; answers what could not be removed, each with its reason.</summary>
    /// <param name="dataRoot">The instance's.</param>
    /// <param name="execRoot">The instance's.</param>
    /// <param name="logs">Makes loggers.</param>
    /// <param name="stop">Cancels.</param>
    /// <param name="hostNetns">The network namespace that plays the host; null: the caller's own.</param>
    public static async Task<IReadOnlyList<string>> RunAsync(
        string dataRoot, string execRoot, ILoggerFactory logs, CancellationToken stop, string? hostNetns = null)
    {
        var root = InstanceRecord.CgroupRoot(dataRoot);
        // No arguments: whoever takes an instance down finds its shim or does without, and starts none.
        await using var shim = new ShimProcess(
            new ShimCommand { Arguments = [], ExecRoot = execRoot, CgroupPath = Path.Combine(root, ShimMain.GroupName) }, logs.CreateLogger<ShimProcess>());
        var answers = await AnswersAsync(execRoot, stop);
        var network = new NetworkOptions
        {
            InstanceId = InstanceId.Of(dataRoot), DataRoot = dataRoot, ExecRoot = execRoot, HostNetnsPath = hostNetns, WarmSandboxes = 0,
        };
        return await RunAsync(network, answers ? new ShimRuntime(shim) : null, answers ? shim : new AbsentShim(), () => shim.ShutdownAsync(stop), logs, stop);
    }

    private static async Task<bool> AnswersAsync(string execRoot, CancellationToken stop)
    {
        if (await ShimProcess.FindAsync(execRoot, stop) is not var (connection, _))
            return false;
        await connection.DisposeAsync();
        return true;
    }

    /// <summary>Nothing keeps names and ports any more, so taking them back is done; nothing new can be held.</summary>
    private sealed class AbsentShim : IShimCaller
    {
        // A teardown only asks to let things go.
        public Task<ReadOnlyMemory<byte>> CallAsync(string service, string operation, ReadOnlyMemory<byte> request, CancellationToken stop) =>
            operation is "release" or "forget" or "table" or "sync"
                ? Task.FromResult(ReadOnlyMemory<byte>.Empty)
                : throw new ShimException($"no shim runs to {operation} for {service}");

        public IAsyncEnumerable<ReadOnlyMemory<byte>> StreamAsync(string service, string operation, ReadOnlyMemory<byte> request, CancellationToken stop) =>
            throw new ShimException($"no shim runs to {operation} for {service}");

        public IAsyncEnumerable<ShimMessage> ExchangeAsync(string service, string operation, ShimMessage request, CancellationToken stop) =>
            throw new ShimException($"no shim runs to {operation} for {service}");
    }
}
