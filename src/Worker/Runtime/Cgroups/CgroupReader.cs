using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>Reads what a group has used. v1's controllers count where they are; else v2's do.</summary>
internal sealed class CgroupReader(CgroupLayout layout, string path)
{
    /// <summary>USER_HZ is 100 on every architecture that runs containers: cpuacct.stat counts in hundredths of a second.</summary>
    private const long NanosecondsPerTick = 10_000_000;

    /// <summary>v1 says "no limit" as the largest multiple of the page size.</summary>
    private const long NoLimit = long.MaxValue / 4096 * 4096;

    internal CpuCount? Cpu() => Legacy("cpuacct", "cpuacct.usage") is { } usage ? LegacyCpu(usage) : UnifiedCpu();

    internal MemoryCount? Memory()
    {
        if (CgroupTexts.Number(Legacy("memory", "memory.usage_in_bytes")) is { } usage)
        {
            return new MemoryCount(
                usage,
                CgroupTexts.Number(Legacy("memory", "memory.max_usage_in_bytes")) ?? 0,
                CgroupTexts.Number(Legacy("memory", "memory.limit_in_bytes")) is { } limit and < NoLimit ? limit : null,
                CgroupTexts.Number(Legacy("memory", "memory.failcnt")) ?? 0,
                CgroupTexts.Pairs(Legacy("memory", "memory.stat")));
        }
        if (CgroupTexts.Number(Unified("memory.current")) is not { } current)
            return null;
        return new MemoryCount(
            current,
            CgroupTexts.Number(Unified("memory.peak")) ?? 0, // since 5.19
            CgroupTexts.Number(Unified("memory.max")),
            CgroupTexts.Pairs(Unified("memory.events")).GetValueOrDefault("oom"),
            CgroupTexts.Pairs(Unified("memory.stat")));
    }

    internal ProcessCount? Processes() =>
        CgroupTexts.Number(Legacy("pids", "pids.current")) is { } legacy ? new(legacy, CgroupTexts.Number(Legacy("pids", "pids.max")))
        : CgroupTexts.Number(Unified("pids.current")) is { } unified ? new(unified, CgroupTexts.Number(Unified("pids.max")))
        : null;

    /// <summary>A scheduler's own count is of what it sent to the disk; the throttle's is of what was asked for, and always there.</summary>
    internal ImmutableArray<DeviceCount> Devices() => layout.LegacyMount("blkio") is not null
        ? CgroupTexts.LegacyIo(
            Legacy("blkio", "blkio.throttle.io_service_bytes_recursive"), Legacy("blkio", "blkio.throttle.io_serviced_recursive"))
        : CgroupTexts.UnifiedIo(Unified("io.stat"));

    private CpuCount LegacyCpu(string usage)
    {
        var times = CgroupTexts.Pairs(Legacy("cpuacct", "cpuacct.stat"));
        var stat = CgroupTexts.Pairs(Legacy("cpu", "cpu.stat"));
        return new CpuCount(
            CgroupTexts.Number(usage) ?? 0,
            times.GetValueOrDefault("user") * NanosecondsPerTick, times.GetValueOrDefault("system") * NanosecondsPerTick,
            stat.GetValueOrDefault("nr_periods"), stat.GetValueOrDefault("nr_throttled"), stat.GetValueOrDefault("throttled_time"));
    }

    private CpuCount? UnifiedCpu()
    {
        var stat = CgroupTexts.Pairs(Unified("cpu.stat")); // also where the cpu controller is not
        return !stat.TryGetValue("usage_usec", out var total) ? null : new CpuCount(
            total * 1000, stat.GetValueOrDefault("user_usec") * 1000, stat.GetValueOrDefault("system_usec") * 1000,
            stat.GetValueOrDefault("nr_periods"), stat.GetValueOrDefault("nr_throttled"), stat.GetValueOrDefault("throttled_usec") * 1000);
    }

    private string? Legacy(string controller, string file) =>
        layout.LegacyMount(controller) is { } mount ? KernelFile.ReadOrNull($"{mount}{path}/{file}") : null;

    private string? Unified(string file) => layout.Unified is { } mount ? KernelFile.ReadOrNull($"{mount}{path}/{file}") : null;

    /// <summary>The ids in a text of cgroup.procs.</summary>
    internal static IEnumerable<int> Pids(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => int.Parse(line, CultureInfo.InvariantCulture));
}
