using Orchestrator.Worker.Runtime.Cgroups;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Which limits this host's kernel and its mounted cgroup controllers can hold (moby, <c>pkg/sysinfo</c>).</summary>
internal sealed record LimitFacts
{
    /// <summary>A host that can do everything; what plans assume in tests.</summary>
    internal static LimitFacts Everything { get; } = new();

    /// <summary>2 where v2 is the only hierarchy with controllers.</summary>
    public int Version { get; init; } = 1;

    public bool Memory { get; init; } = true;
    public bool Swap { get; init; } = true;
    public bool Swappiness { get; init; } = true;
    public bool OomKillDisable { get; init; } = true;
    public bool Cpu { get; init; } = true;
    public bool Realtime { get; init; } = true;
    public bool CpuSet { get; init; } = true;
    public bool Pids { get; init; } = true;
    public bool IoWeight { get; init; } = true;
    public bool IoThrottle { get; init; } = true;

    /// <summary>The memory nodes there are, counted from 0.</summary>
    public int MemoryNodes { get; init; } = 1;

    internal static LimitFacts Of(CgroupLayout layout, int memoryNodes)
    {
        var unified = layout.UnifiedControllers;
        return new LimitFacts
        {
            Version = layout.Legacy.IsEmpty && layout.Unified is not null ? 2 : 1,
            Memory = layout.Holds("memory"),
            Swap = layout.SwapAccounting || (unified.Contains("memory") && layout.UnifiedSwap),
            Swappiness = layout.LegacyMount("memory") is not null,
            OomKillDisable = layout.LegacyMount("memory") is not null,
            Cpu = layout.Holds("cpu"),
            Realtime = layout.Realtime,
            CpuSet = layout.Holds("cpuset"),
            Pids = layout.Holds("pids"),
            IoWeight = layout.LegacyMount("blkio") is not null ? layout.LegacyIoWeight is not null : unified.Contains("io") && layout.UnifiedIoWeight is not null,
            IoThrottle = layout.LegacyMount("blkio") is not null || unified.Contains("io"),
            MemoryNodes = memoryNodes,
        };
    }

    /// <summary>What <c>info</c> warns of, in Docker's words.</summary>
    internal IEnumerable<string> Warnings()
    {
        if (!Memory)
            yield return "WARNING: No memory limit support";
        if (!Swap)
            yield return "WARNING: No swap limit support";
        if (Version == 1 && !OomKillDisable)
            yield return "WARNING: No oom kill disable support";
        if (!Cpu)
        {
            yield return "WARNING: No cpu cfs quota support";
            yield return "WARNING: No cpu cfs period support";
            yield return "WARNING: No cpu shares support";
        }
        if (!CpuSet)
            yield return "WARNING: No cpuset support";
        if (!Pids)
            yield return "WARNING: No pids limit support";
        // Weights went from v1 with kernel 5.0 and nobody misses them there.
        if (Version == 2 && !IoWeight)
        {
            yield return "WARNING: No io.weight support";
            yield return "WARNING: No io.weight (per device) support";
        }
        if (!IoThrottle)
        {
            foreach (var what in Version == 2
                ? (string[])["io.max (rbps)", "io.max (wbps)", "io.max (riops)", "io.max (wiops)"]
                : ["blkio throttle.read_bps_device", "blkio throttle.write_bps_device", "blkio throttle.read_iops_device", "blkio throttle.write_iops_device"])
                yield return $"WARNING: No {what} support";
        }
    }
}
