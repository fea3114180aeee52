using Microsoft.Extensions.Logging;
using Orchestrator.Worker.Runtime.Shim;

namespace Orchestrator.Worker;

internal sealed partial class WorkerHost
{
    /// <summary>Connects to the shim (starting one when none is there), takes over what runs, removes what a crash left.</summary>
    public static async Task<WorkerHost> StartAsync(WorkerHostOptions options, ILoggerFactory logs, CancellationToken stop)
    {
        var group = HostReader.CgroupRoot(options.CgroupParent, InstanceId.Of(options.DataRoot));
        var shim = new ShimProcess(
            new ShimCommand
            {
                Arguments = [.. options.ShimCommand, "shim", "--exec-root", options.ExecRoot],
                ExecRoot = options.ExecRoot,
                CgroupPath = Path.Combine(group, ShimMain.GroupName),
                InstanceGroup = group,
            },
            logs.CreateLogger<ShimProcess>());
        var keep = new Safekeeping(options.ExecRoot, logs.CreateLogger<Safekeeping>());
        shim.Inputs = keep.Inputs;
        var runtime = new ShimRuntime(shim, keep, logs.CreateLogger<ShimRuntime>());
        var link = new ShimLink(shim, runtime, keep);
        try
        {
            await shim.EnsureAsync(stop);
            return await StartAsync(options, runtime, shim, link, logs, stop);
        }
        catch
        {
            await link.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes the shim become this very program, in place; containers go on.</summary>
    /// <exception cref="Shim.ShimException">It goes on as it is; the message says why.</exception>
    public Task UpgradeShimAsync(CancellationToken stop) =>
        shimLink is ShimLink link ? link.Shim.UpgradeAsync(stop) : throw new Shim.ShimException("This host's runtime is not a shim of its own.");

    private sealed class ShimLink(ShimProcess shim, ShimRuntime runtime, Safekeeping keep) : IAsyncDisposable
    {
        private int disposed;

        internal ShimProcess Shim { get; } = shim;

        /// <summary>By the host that stands on it, and by the start that did not get so far.</summary>
        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref disposed, 1) != 0)
                return;
            await keep.DisposeAsync();
            await runtime.DisposeAsync(); // with its connection
        }
    }
}
