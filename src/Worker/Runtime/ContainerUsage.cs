using System.Collections.Immutable;

namespace Orchestrator.Worker.Runtime;

/// <summary>What a container has used so far and holds now, as its groups and its network count it. Absent: nothing counts it on this host.</summary>
internal sealed record ContainerUsage
{
    public required string Id { get; init; }
    public CpuCount? Cpu { get; init; }
    public MemoryCount? Memory { get; init; }
    public ProcessCount? Processes { get; init; }

    /// <summary>By device.</summary>
    public ImmutableArray<DeviceCount> Devices { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>The interfaces of the network namespace that the first process is in, without the loopback.</summary>
    public ImmutableArray<InterfaceCount> Interfaces { get; init => field = value.IsDefault ? [] : value; } = [];
}

/// <summary>Nanoseconds of processor time, and how often a quota held it back.</summary>
internal sealed record CpuCount(long Total, long User, long Kernel, long Periods, long ThrottledPeriods, long ThrottledTime);

/// <summary>Bytes.</summary>
/// <param name="Usage">Now.</param>
/// <param name="Most">The most ever; 0 where the kernel does not say.</param>
/// <param name="Limit">Null: none.</param>
/// <param name="Failures">How often the limit was in the way.</param>
/// <param name="Stat">The kernel's memory.stat, line by line.</param>
internal sealed record MemoryCount(long Usage, long Most, long? Limit, long Failures, ImmutableDictionary<string, long> Stat);

/// <param name="Current">Processes and threads.</param>
/// <param name="Limit">Null: none.</param>
internal sealed record ProcessCount(long Current, long? Limit);

/// <summary>Block I/O on one device: bytes and operations.</summary>
internal sealed record DeviceCount(long Major, long Minor, long ReadBytes, long WrittenBytes, long Reads, long Writes);

internal sealed record InterfaceCount(
    string Name, long RxBytes, long RxPackets, long RxErrors, long RxDropped, long TxBytes, long TxPackets, long TxErrors, long TxDropped);
