using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers.Usage;

/// <summary>The runtime's counts as the Engine API shows them.</summary>
internal static class UsageView
{
    /// <param name="names">Id and name.</param>
    /// <param name="usage">What was counted.</param>
    /// <param name="host">The machine's processor time at the same moment.</param>
    /// <param name="now">The moment.</param>
    /// <param name="ownNetwork">The interfaces are the container's; else they are the host's, which Docker does not show.</param>
    internal static ContainerStats Of(ContainerStats names, ContainerUsage usage, HostCpu host, DateTimeOffset now, bool ownNetwork) => names with
    {
        Read = now,
        Pids = new PidsUsage { Current = usage.Processes?.Current ?? 0, Limit = usage.Processes?.Limit ?? 0 },
        Cpu = new CpuUsage
        {
            Times = new CpuTimes { Total = usage.Cpu?.Total ?? 0, User = usage.Cpu?.User ?? 0, Kernel = usage.Cpu?.Kernel ?? 0 },
            System = host.Total,
            OnlineCpus = host.Online,
            Throttling = new CpuThrottling
            {
                Periods = usage.Cpu?.Periods ?? 0, ThrottledPeriods = usage.Cpu?.ThrottledPeriods ?? 0, ThrottledTime = usage.Cpu?.ThrottledTime ?? 0,
            },
        },
        Memory = usage.Memory is not { } memory ? new MemoryUsage() : new MemoryUsage
        {
            Usage = memory.Usage, MaxUsage = memory.Most, FailCount = memory.Failures, Stats = memory.Stat,
            // Without a limit of its own the machine's memory is the container's limit.
            Limit = Math.Min(memory.Limit ?? long.MaxValue, HostMemory.Total),
        },
        Blkio = new BlkioUsage
        {
            Bytes = [.. usage.Devices.SelectMany(d => Entries(d, d.ReadBytes, d.WrittenBytes))],
            Operations = [.. usage.Devices.SelectMany(d => Entries(d, d.Reads, d.Writes))],
        },
        Networks = !ownNetwork ? null : usage.Interfaces.ToDictionary(
            i => i.Name,
            i => new InterfaceUsage
            {
                RxBytes = i.RxBytes, RxPackets = i.RxPackets, RxErrors = i.RxErrors, RxDropped = i.RxDropped,
                TxBytes = i.TxBytes, TxPackets = i.TxPackets, TxErrors = i.TxErrors, TxDropped = i.TxDropped,
            },
            StringComparer.Ordinal),
    };

    private static BlkioEntry[] Entries(DeviceCount device, long read, long written) =>
    [
        new() { Major = device.Major, Minor = device.Minor, Operation = "read", Value = read },
        new() { Major = device.Major, Minor = device.Minor, Operation = "write", Value = written },
    ];
}
