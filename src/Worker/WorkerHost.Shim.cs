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
                CgroupPath = Path.Combine(group, "shim"),
                InstanceGroup = group,
            },
            logs.CreateLogger<ShimProcess>());
        var runtime = new ShimRuntime(shim);
        try
        {
            await shim.EnsureAsync(stop);
            return await StartAsync(options, runtime, shim, runtime, logs, stop);
        }
        catch
        {
            await runtime.DisposeAsync();
            throw;
        }
    }
}
