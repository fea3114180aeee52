using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>Limits as cgroup v1 files (Documentation/admin-guide/cgroup-v1).</summary>
internal static class LegacyLimits
{
    internal static IEnumerable<CgroupWrite> For(
        string controller, OciResources resources, CgroupLayout layout, ImmutableArray<string>.Builder warnings) => controller switch
        {
            "cpu" => Cpu(resources.Cpu, layout),
            "cpuset" => CpuSet(resources.Cpu),
            "memory" => Memory(resources.Memory, layout, warnings),
            "pids" when resources.Pids is { } pids => [new("pids.max", pids.Limit > 0 ? Text(pids.Limit) : "max")],
            "devices" => resources.Devices.Select(Device),
            "blkio" => BlockIo(resources.BlockIO, layout, warnings),
            "hugetlb" => resources.HugepageLimits.Select(h => new CgroupWrite($"hugetlb.{h.PageSize}.limit_in_bytes", Text(h.Limit))),
            "net_cls" when resources.Network?.ClassId is { } id => [new("net_cls.classid", Text(id))],
            "net_prio" => (resources.Network?.Priorities ?? []).Select(p => new CgroupWrite("net_prio.ifpriomap", $"{p.Name} {Text(p.Priority)}")),
            _ => [],
        };

    private static IEnumerable<CgroupWrite> Cpu(OciCpu? cpu, CgroupLayout layout)
    {
        if (cpu is null)
            yield break;
        if (cpu.Shares is { } shares and > 0)
            yield return new("cpu.shares", Text(shares));
        if (cpu.RealtimePeriod is > 0 || cpu.RealtimeRuntime is not (null or 0))
        {
            if (!layout.Realtime)
                throw new RuntimeException("Your kernel does not support CPU real-time scheduler: the cpu controller has no cpu.rt_runtime_us.");
            if (cpu.RealtimePeriod is { } realtimePeriod and > 0)
                yield return new("cpu.rt_period_us", Text(realtimePeriod));
            if (cpu.RealtimeRuntime is { } runtime && runtime != 0)
                yield return new("cpu.rt_runtime_us", Text(runtime));
        }
        if (cpu.Period is { } period and > 0)
            yield return new("cpu.cfs_period_us", Text(period));
        if (cpu.Quota is { } quota && quota != 0)
            yield return new("cpu.cfs_quota_us", Text(Math.Max(quota, -1)));
    }

    private static IEnumerable<CgroupWrite> CpuSet(OciCpu? cpu)
    {
        if (!string.IsNullOrEmpty(cpu?.Cpus))
            yield return new("cpuset.cpus", cpu.Cpus);
        if (!string.IsNullOrEmpty(cpu?.Mems))
            yield return new("cpuset.mems", cpu.Mems);
    }

    private static IEnumerable<CgroupWrite> Memory(OciMemory? memory, CgroupLayout layout, ImmutableArray<string>.Builder warnings)
    {
        if (memory is null)
            yield break;
        // The limit of both together cannot be below the limit of memory: memory first. A change of limits turns that round where it must.
        if (memory.Limit is { } limit && limit != 0)
            yield return new("memory.limit_in_bytes", Text(limit));
        if (memory.Swap is { } swap && swap != 0)
        {
            if (layout.SwapAccounting)
                yield return new("memory.memsw.limit_in_bytes", Text(swap));
            else
                warnings.Add("This kernel does not account swap: the swap limit is not held.");
        }
        if (memory.Reservation is { } reservation && reservation != 0)
            yield return new("memory.soft_limit_in_bytes", Text(reservation));
        if (memory.Swappiness is { } swappiness)
            yield return new("memory.swappiness", Text(swappiness));
        if (memory.DisableOomKiller == true)
            yield return new("memory.oom_control", "1");
    }

    private static CgroupWrite Device(OciDeviceRule rule)
    {
        var file = rule.Allow ? "devices.allow" : "devices.deny";
        var all = rule.Type is null or "a";
        if (all && rule is { Major: null, Minor: null })
            return new(file, "a");
        return new(file, $"{(all ? "a" : rule.Type)} {Number(rule.Major)}:{Number(rule.Minor)} {rule.Access ?? "rwm"}");
    }

    /// <summary>CFQ's <c>blkio.weight</c> went with kernel 5.0; since then the scheduler bfq has weights.</summary>
    private static IEnumerable<CgroupWrite> BlockIo(OciBlockIo? io, CgroupLayout layout, ImmutableArray<string>.Builder warnings)
    {
        if (io is null)
            return [];
        var weights = layout.LegacyIoWeight is { } prefix
            ? (io.Weight is { } weight ? [new($"{prefix}weight", Text(weight))] : Enumerable.Empty<CgroupWrite>())
                .Concat(io.WeightDevice.Select(d => new CgroupWrite($"{prefix}weight_device", $"{d.Major}:{d.Minor} {d.Weight}")))
            : [];
        if (layout.LegacyIoWeight is null && (io.Weight is not null || !io.WeightDevice.IsEmpty))
            warnings.Add("This kernel's blkio controller has no weights (it has neither blkio.weight nor the scheduler bfq): block I/O weights are not held.");
        return [
            .. weights,
            .. Throttle("blkio.throttle.read_bps_device", io.ThrottleReadBpsDevice),
            .. Throttle("blkio.throttle.write_bps_device", io.ThrottleWriteBpsDevice),
            .. Throttle("blkio.throttle.read_iops_device", io.ThrottleReadIopsDevice),
            .. Throttle("blkio.throttle.write_iops_device", io.ThrottleWriteIopsDevice),
        ];
    }

    private static IEnumerable<CgroupWrite> Throttle(string file, ImmutableArray<OciThrottle> devices) =>
        devices.Select(d => new CgroupWrite(file, $"{d.Major}:{d.Minor} {d.Rate}"));

    private static string Number(long? number) => number is null or -1 ? "*" : Text(number.Value);

    private static string Text<T>(T number)
        where T : IFormattable => number.ToString(null, CultureInfo.InvariantCulture);
}
