using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Network;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Integration.Recovery;

/// <summary>What containers stand on, with a gate before and after each step.</summary>
internal static class SteppedServices
{
    internal static ContainerServices Of(ContainerServices real, StepGate gate) => real with
    {
        Runtime = new SteppedRuntime(real.Runtime, gate),
        Networks = new SteppedNetworks(real.Networks, gate),
        Images = new SteppedImages(real.Images, gate),
    };
}

internal sealed class SteppedRuntime(IRuntime real, StepGate gate) : IRuntime
{
    public async Task<StartedContainer> StartAsync(LaunchRequest request, CancellationToken stop)
    {
        var starting = real.StartAsync(request, stop);
        await gate.AtAsync("launch asked", stop);
        var started = await starting;
        await gate.AtAsync("program executed", stop);
        return started;
    }

    public async Task SignalAsync(string id, int signal, CancellationToken stop)
    {
        await real.SignalAsync(id, signal, stop);
        await gate.AtAsync("signal sent", stop);
    }

    public async Task DeleteAsync(string id, CancellationToken stop)
    {
        await gate.AtAsync("exit recorded", stop);
        await real.DeleteAsync(id, stop);
        await gate.AtAsync("runtime deleted", stop);
    }

    public async IAsyncEnumerable<ContainerExit> WatchExitsAsync([EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var exit in real.WatchExitsAsync(stop))
        {
            await gate.AtAsync("exit not recorded", stop);
            yield return exit;
        }
    }

    public Task<IReadOnlyList<ContainerRecord>> ListAsync(CancellationToken stop) => real.ListAsync(stop);

    public Task<IExecSession> ExecAsync(string id, ExecLaunch launch, CancellationToken stop) => real.ExecAsync(id, launch, stop);

    public Task<IAttachSession> AttachAsync(string id, CancellationToken stop) => real.AttachAsync(id, stop);

    public Task ResizeAsync(string id, int rows, int columns, CancellationToken stop) => real.ResizeAsync(id, rows, columns, stop);

    public Task PauseAsync(string id, CancellationToken stop) => real.PauseAsync(id, stop);

    public Task ResumeAsync(string id, CancellationToken stop) => real.ResumeAsync(id, stop);

    public IAsyncEnumerable<string> WatchOutOfMemoryAsync(CancellationToken stop) => real.WatchOutOfMemoryAsync(stop);

    public Task<IReadOnlyList<string>> UpdateAsync(string id, OciResources resources, CancellationToken stop) => real.UpdateAsync(id, resources, stop);

    public Task<ContainerUsage> ReadUsageAsync(string id, CancellationToken stop) => real.ReadUsageAsync(id, stop);

    public Task<IReadOnlyList<int>> ListProcessesAsync(string id, CancellationToken stop) => real.ListProcessesAsync(id, stop);
}

internal sealed class SteppedNetworks(INetworks real, StepGate gate) : INetworks
{
    public async Task<Sandbox> AttachAsync(SandboxRequest request, CancellationToken stop)
    {
        var attaching = real.AttachAsync(request, stop);
        await gate.AtAsync("network asked", stop);
        var sandbox = await attaching;
        await gate.AtAsync("network made", stop);
        return sandbox;
    }

    public async Task DetachAsync(string sandboxId, CancellationToken stop)
    {
        await real.DetachAsync(sandboxId, stop);
        await gate.AtAsync("network left", stop);
    }

    public Task<HostNetwork> EnsureNetworkAsync(HostNetwork network, CancellationToken stop) => real.EnsureNetworkAsync(network, stop);

    public Task RemoveNetworkAsync(string id, CancellationToken stop) => real.RemoveNetworkAsync(id, stop);

    public Task<IReadOnlyList<HostNetwork>> ListNetworksAsync(CancellationToken stop) => real.ListNetworksAsync(stop);

    public Task<IReadOnlyDictionary<string, Sandbox>> ListSandboxesAsync(CancellationToken stop) => real.ListSandboxesAsync(stop);

    public Task<ServiceTableResult> ApplyServicesAsync(ServiceTable table, CancellationToken stop) => real.ApplyServicesAsync(table, stop);

    public Task<IReadOnlyList<PortInUse>> FindPortsInUseAsync(ImmutableArray<PortRequest> ports, CancellationToken stop) => real.FindPortsInUseAsync(ports, stop);

    public Task ResyncAsync(CancellationToken stop) => real.ResyncAsync(stop);

    public Task<CleanUpReport> RecoverAsync(IReadOnlySet<string> liveSandboxIds, CancellationToken stop) => real.RecoverAsync(liveSandboxIds, stop);

    public Task<CleanUpReport> RemoveAllAsync(CancellationToken stop) => real.RemoveAllAsync(stop);
}

internal sealed class SteppedImages(IImageLayers real, StepGate gate) : IImageLayers
{
    public ValueTask<ImageRecord?> ResolveAsync(string reference, CancellationToken stop) => real.ResolveAsync(reference, stop);

    public async ValueTask<LayerStack> AcquireLayersAsync(string imageId, string holderId, CancellationToken stop)
    {
        var layers = await real.AcquireLayersAsync(imageId, holderId, stop);
        await gate.AtAsync("layers held", stop);
        return layers;
    }

    public async ValueTask ReleaseAsync(string holderId, CancellationToken stop)
    {
        await real.ReleaseAsync(holderId, stop);
        await gate.AtAsync("layers released", stop);
    }
}
