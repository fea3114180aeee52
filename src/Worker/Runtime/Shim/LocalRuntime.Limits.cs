using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Pausing, limits and counts.</summary>
internal sealed partial class LocalRuntime
{
    private readonly OomFeed oomFeed = new();
    private OomWatch? oomWatch; // the loop's

    public Task PauseAsync(string id, CancellationToken stop) => OnRunningAsync(id, container =>
    {
        container.Cgroup.Freeze();
        return true;
    });

    public Task ResumeAsync(string id, CancellationToken stop) => OnRunningAsync(id, container =>
    {
        container.Cgroup.Thaw();
        return true;
    });

    public IAsyncEnumerable<string> WatchOutOfMemoryAsync(CancellationToken stop) => oomFeed.WatchAsync(stop);

    public async Task<IReadOnlyList<string>> UpdateAsync(string id, OciResources resources, CancellationToken stop)
    {
        var warnings = await OnRunningAsync(id, container => container.Cgroup.Update(launcher.Layout, resources));
        foreach (var warning in warnings)
            log.Warned(id, warning);
        return warnings;
    }

    public Task<ContainerUsage> ReadUsageAsync(string id, CancellationToken stop) => OnRunningAsync(id, container =>
    {
        var reader = container.Cgroup.Reader(launcher.Layout);
        return new ContainerUsage
        {
            Id = id,
            Cpu = reader.Cpu(),
            Memory = reader.Memory(),
            Processes = reader.Processes(),
            Devices = reader.Devices(),
            // The first process is our child and not collected while there is no exit: its id is nobody else's.
            Interfaces = CgroupTexts.Interfaces(KernelFile.ReadOrNull($"/proc/{container.Pid}/net/dev")),
        };
    });

    public Task<IReadOnlyList<int>> ListProcessesAsync(string id, CancellationToken stop) => OnRunningAsync(id, container => container.Cgroup.Processes());

    /// <summary>On the loop's thread. A group that has gone already is nothing to watch.</summary>
    private void WatchMemory(Container container)
    {
        oomWatch ??= new OomWatch(loop, c => oomFeed.Publish(c.Id));
        try
        {
            oomWatch.Start(container);
        }
        catch (LinuxException refused)
        {
            log.Warned(container.Id, $"running out of memory is told at its end only: {refused.Message}");
        }
    }

    private async Task<T> OnRunningAsync<T>(string id, Func<Container, T> work)
    {
        var container = Find(id) ?? throw new RuntimeException($"There is no container {id}.");
        if (container.Exit is not null)
            throw new RuntimeException($"The container {id} does not run.");
        try
        {
            return await threads.RunAsync(() => work(container));
        }
        catch (LinuxException refused)
        {
            throw new RuntimeException(refused.Message, refused);
        }
    }
}
