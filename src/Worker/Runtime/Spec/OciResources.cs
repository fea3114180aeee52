using System.Collections.Immutable;

namespace Orchestrator.Worker.Runtime.Spec;

/// <summary>Limits held by cgroups; what is absent stays as the parent has it.</summary>
internal sealed record OciResources
{
    /// <summary>In order; the last match decides. Empty: no rule is written.</summary>
    public ImmutableArray<OciDeviceRule> Devices { get; init => field = value.IsDefault ? [] : value; } = [];

    public OciMemory? Memory { get; init; }
    public OciCpu? Cpu { get; init; }
    public OciPids? Pids { get; init; }
    public OciBlockIo? BlockIO { get; init; }
    public ImmutableArray<OciHugepageLimit> HugepageLimits { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Marks of the container's packets: cgroup v1 alone has them.</summary>
    public OciNetwork? Network { get; init; }

    /// <summary>cgroup v2 files and values, written as they are; refused where the host has no v2 controllers.</summary>
    public ImmutableDictionary<string, string> Unified { get; init => field = value ?? ImmutableDictionary<string, string>.Empty; } = ImmutableDictionary<string, string>.Empty;
}

internal sealed record OciDeviceRule
{
    public bool Allow { get; init; }

    /// <summary><c>a</c> (all, default), <c>c</c> or <c>b</c>.</summary>
    public string? Type { get; init; }

    public long? Major { get; init; }
    public long? Minor { get; init; }

    /// <summary>Letters of <c>rwm</c>; absent is all three.</summary>
    public string? Access { get; init; }
}

/// <summary>Bytes; -1 is unlimited.</summary>
internal sealed record OciMemory
{
    public long? Limit { get; init; }
    public long? Reservation { get; init; }

    /// <summary>Memory and swap together, as Docker's <c>--memory-swap</c>.</summary>
    public long? Swap { get; init; }

    public ulong? Swappiness { get; init; }

    [System.Text.Json.Serialization.JsonPropertyName("disableOOMKiller")]
    public bool? DisableOomKiller { get; init; }
}

internal sealed record OciCpu
{
    public ulong? Shares { get; init; }

    /// <summary>Microseconds of processor time per <see cref="Period"/>; 0 or less is unlimited.</summary>
    public long? Quota { get; init; }

    public ulong? Period { get; init; }

    /// <summary>Microseconds of real-time processor time per <see cref="RealtimePeriod"/>; cgroup v1 on kernels with RT_GROUP_SCHED.</summary>
    public long? RealtimeRuntime { get; init; }

    public ulong? RealtimePeriod { get; init; }
    public string? Cpus { get; init; }
    public string? Mems { get; init; }
}

internal sealed record OciPids
{
    /// <summary>0 or less is unlimited.</summary>
    public long Limit { get; init; }
}

internal sealed record OciBlockIo
{
    /// <summary>10 to 1000.</summary>
    public ushort? Weight { get; init; }

    public ImmutableArray<OciWeightDevice> WeightDevice { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<OciThrottle> ThrottleReadBpsDevice { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<OciThrottle> ThrottleWriteBpsDevice { get; init => field = value.IsDefault ? [] : value; } = [];

    [System.Text.Json.Serialization.JsonPropertyName("throttleReadIOPSDevice")]
    public ImmutableArray<OciThrottle> ThrottleReadIopsDevice { get; init => field = value.IsDefault ? [] : value; } = [];

    [System.Text.Json.Serialization.JsonPropertyName("throttleWriteIOPSDevice")]
    public ImmutableArray<OciThrottle> ThrottleWriteIopsDevice { get; init => field = value.IsDefault ? [] : value; } = [];
}

internal sealed record OciThrottle
{
    public long Major { get; init; }
    public long Minor { get; init; }
    public ulong Rate { get; init; }
}

internal sealed record OciWeightDevice
{
    public long Major { get; init; }
    public long Minor { get; init; }

    /// <summary>10 to 1000.</summary>
    public ushort Weight { get; init; }
}

internal sealed record OciHugepageLimit
{
    /// <summary>As the kernel names it: <c>2MB</c>, <c>1GB</c>.</summary>
    public required string PageSize { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Limit { get; init; }
}

internal sealed record OciNetwork
{
    [System.Text.Json.Serialization.JsonPropertyName("classID")]
    public uint? ClassId { get; init; }

    public ImmutableArray<OciInterfacePriority> Priorities { get; init => field = value.IsDefault ? [] : value; } = [];
}

internal sealed record OciInterfacePriority
{
    /// <summary>The interface, as the runtime's own network namespace names it.</summary>
    public required string Name { get; init; }

    public uint Priority { get; init; }
}
