using Microsoft.Extensions.Logging;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Network;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Recovery;

/// <summary>Takes one instance off the machine: containers, networks, shim, cgroups, mounts. Needs no running daemon.</summary>
internal static partial class HostTeardown
{
    /// <param name="network">Where and under which name the instance lives.</param>
    /// <param name="runtime">Null: no shim answers; containers are then found by their cgroups alone.</param>
    /// <param name="shim">Where the networks' room takes its names and ports back from.</param>
    /// <param name="shutShimDown">Ends the shim and waits until it is gone.</param>
    /// <param name="logs">Makes loggers.</param>
    /// <param name="stop">Cancels.</param>
    internal static async Task<IReadOnlyList<string>> RunAsync(
        NetworkOptions network, IRuntime? runtime, IShimCaller shim, Func<Task> shutShimDown, ILoggerFactory logs, CancellationToken stop)
    {
        var (dataRoot, execRoot) = (network.DataRoot, network.ExecRoot);
        var failed = new List<string>();
        if (runtime is not null)
            await TryAsync("containers", () => DeleteAllAsync(runtime, stop), failed);
        var groups = new InstanceGroups(CgroupLayout.Discover(), InstanceRecord.CgroupRoot(dataRoot), TimeProvider.System);
        if (runtime is null)
            failed.AddRange(await groups.RemoveAsync(stop));
        await TryAsync("networks", () => RemoveNetworksAsync(network, shim, failed, logs, stop), failed);
        await TryAsync("shim", shutShimDown, failed);
        // The shim stands in one of the groups: while it answers, it takes the networks down with us and goes before them.
        if (runtime is not null)
            failed.AddRange(await groups.RemoveAsync(stop));
        foreach (var point in Mounts.Below(Path.GetFullPath(execRoot)).Concat(Mounts.Below(Path.GetFullPath(dataRoot))))
        {
            // The roots themselves may be mounts of the operator's.
            if (point != Path.GetFullPath(execRoot) && point != Path.GetFullPath(dataRoot))
                await TryAsync(point, () => Unmount(point), failed);
        }

        return failed;
    }

    private static async Task DeleteAllAsync(IRuntime runtime, CancellationToken stop)
    {
        var known = await runtime.ListAsync(stop);
        await Task.WhenAll(known.Select(c => runtime.DeleteAsync(c.Id, stop)));
    }

    private static async Task RemoveNetworksAsync(
        NetworkOptions options, IShimCaller shim, List<string> failed, ILoggerFactory logs, CancellationToken stop)
    {
        await using var networks = await HostNetworks.OpenAsync(options, shim, TimeProvider.System, logs.CreateLogger<HostNetworks>());
        failed.AddRange((await networks.RemoveAllAsync(stop)).Failed);
    }

    private static Task Unmount(string point)
    {
        Mounts.Unmount(point);
        return Task.CompletedTask;
    }

    /// <summary>What fails does not keep the rest from going.</summary>
    private static async Task TryAsync(string subject, Func<Task> work, List<string> failed)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is RuntimeException or ShimException or NetworkException or IOException or UnauthorizedAccessException)
        {
            failed.Add($"{subject}: {e.Message}");
        }
    }
}
