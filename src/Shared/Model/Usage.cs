using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>Answer of <c>GET /containers/{id}/stats</c>, one reading.</summary>
public sealed record ContainerStats
{
    [JsonPropertyName("id")] public required string Id { get; init; }
    /// <summary>With a leading slash.</summary>
    [JsonPropertyName("name")] public string Name { get => field ?? ""; init; } = "";
    [JsonPropertyName("read")] public DateTimeOffset Read { get; init; }
    [JsonPropertyName("preread")] public DateTimeOffset PreRead { get; init; }
    [JsonPropertyName("num_procs")] public int NumProcs { get; init; }
    [JsonPropertyName("pids_stats")] public PidsUsage Pids { get => field ?? new(); init; } = new();
    [JsonPropertyName("cpu_stats")] public CpuUsage Cpu { get => field ?? new(); init; } = new();
    [JsonPropertyName("precpu_stats")] public CpuUsage PreCpu { get => field ?? new(); init; } = new();
    [JsonPropertyName("memory_stats")] public MemoryUsage Memory { get => field ?? new(); init; } = new();
    [JsonPropertyName("blkio_stats")] public BlkioUsage Blkio { get => field ?? new(); init; } = new();
    [JsonPropertyName("networks")] public IReadOnlyDictionary<string, InterfaceUsage>? Networks { get; init; }
}

public sealed record PidsUsage
{
    [JsonPropertyName("current")] public long Current { get; init; }
    /// <summary>0: none.</summary>
    [JsonPropertyName("limit")] public long Limit { get; init; }
}

/// <summary>Nanoseconds.</summary>
public sealed record CpuUsage
{
    [JsonPropertyName("cpu_usage")] public CpuTimes Times { get => field ?? new(); init; } = new();
    [JsonPropertyName("system_cpu_usage")] public long System { get; init; }
    [JsonPropertyName("online_cpus")] public int OnlineCpus { get; init; }
    [JsonPropertyName("throttling_data")] public CpuThrottling Throttling { get => field ?? new(); init; } = new();
}

public sealed record CpuTimes
{
    [JsonPropertyName("total_usage")] public long Total { get; init; }
    [JsonPropertyName("usage_in_kernelmode")] public long Kernel { get; init; }
    [JsonPropertyName("usage_in_usermode")] public long User { get; init; }
}

public sealed record CpuThrottling
{
    [JsonPropertyName("periods")] public long Periods { get; init; }
    [JsonPropertyName("throttled_periods")] public long ThrottledPeriods { get; init; }
    [JsonPropertyName("throttled_time")] public long ThrottledTime { get; init; }
}

/// <summary>Bytes.</summary>
public sealed record MemoryUsage
{
    [JsonPropertyName("usage")] public long Usage { get; init; }
    [JsonPropertyName("max_usage")] public long MaxUsage { get; init; }
    [JsonPropertyName("limit")] public long Limit { get; init; }
    [JsonPropertyName("failcnt")] public long FailCount { get; init; }
    /// <summary>The kernel's memory.stat; holds <c>inactive_file</c> (v2) or <c>total_inactive_file</c> (v1), which clients subtract.</summary>
    [JsonPropertyName("stats")] public IReadOnlyDictionary<string, long>? Stats { get; init; }
}

public sealed record BlkioUsage
{
    [JsonPropertyName("io_service_bytes_recursive")] public IReadOnlyList<BlkioEntry>? Bytes { get; init; }
    [JsonPropertyName("io_serviced_recursive")] public IReadOnlyList<BlkioEntry>? Operations { get; init; }
}

public sealed record BlkioEntry
{
    [JsonPropertyName("major")] public long Major { get; init; }
    [JsonPropertyName("minor")] public long Minor { get; init; }
    /// <summary><c>read</c> or <c>write</c>.</summary>
    [JsonPropertyName("op")] public string Operation { get => field ?? ""; init; } = "";
    [JsonPropertyName("value")] public long Value { get; init; }
}

public sealed record InterfaceUsage
{
    [JsonPropertyName("rx_bytes")] public long RxBytes { get; init; }
    [JsonPropertyName("rx_packets")] public long RxPackets { get; init; }
    [JsonPropertyName("rx_errors")] public long RxErrors { get; init; }
    [JsonPropertyName("rx_dropped")] public long RxDropped { get; init; }
    [JsonPropertyName("tx_bytes")] public long TxBytes { get; init; }
    [JsonPropertyName("tx_packets")] public long TxPackets { get; init; }
    [JsonPropertyName("tx_errors")] public long TxErrors { get; init; }
    [JsonPropertyName("tx_dropped")] public long TxDropped { get; init; }
}
