using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>Limits as cgroup v2 files (Documentation/admin-guide/cgroup-v2.rst), for the controllers that hierarchy has.</summary>
/// <remarks>
/// The runtime specification speaks v1; its numbers become v2's as runc's <c>libcontainer/cgroups/utils.go</c> and the section
/// "cgroup v2" of crun(1) say, so that a container weighs the same under any of the three.
/// </remarks>
internal static class UnifiedLimits
{
    private const ulong DefaultPeriod = 100_000;

    internal static IEnumerable<CgroupWrite> For(CgroupLayout layout, OciResources resources, ImmutableArray<string>.Builder warnings)
    {
        var controllers = layout.UnifiedControllers;
        var writes = new List<CgroupWrite>();
        if (controllers.Contains("cpu"))
            writes.AddRange(Cpu(resources.Cpu));
        if (controllers.Contains("cpuset"))
            writes.AddRange(CpuSet(resources.Cpu));
        if (controllers.Contains("memory"))
            writes.AddRange(Memory(resources.Memory, layout, warnings));
        if (controllers.Contains("pids") && resources.Pids is { } pids)
            writes.Add(new("pids.max", pids.Limit > 0 ? Text(pids.Limit) : "max"));
        if (controllers.Contains("io"))
            writes.AddRange(Io(resources.BlockIO, layout, warnings));
        if (controllers.Contains("hugetlb"))
            writes.AddRange(resources.HugepageLimits.Select(h => new CgroupWrite($"hugetlb.{h.PageSize}.max", Text(h.Limit))));
        writes.AddRange(resources.Unified.OrderBy(u => u.Key, StringComparer.Ordinal).Select(u => Raw(u.Key, u.Value)));
        return writes;
    }

    /// <summary>
    /// cgroup v1 shares (2 to 262144, default 1024) as a v2 weight (1 to 10000, default 100): runc's ConvertCPUSharesToCgroupV2Value,
    /// <c>1 + ((shares - 2) * 9999) / 262142</c>.
    /// </summary>
    internal static ulong Weight(ulong shares) => 1 + ((Math.Clamp(shares, 2, 262144) - 2) * 9999 / 262142);

    /// <summary>A v1 block I/O weight (10 to 1000) as <c>io.weight</c> (1 to 10000): runc's ConvertBlkIOToIOWeightValue.</summary>
    internal static ulong IoWeight(ulong weight) => 1 + ((Math.Clamp(weight, 10, 1000) - 10) * 9999 / 990);

    /// <summary>v1 counts memory and swap together, v2 counts swap alone: runc's ConvertMemorySwapToCgroupV2Value. Null: nothing to write.</summary>
    internal static string? Swap(OciMemory memory)
    {
        var (swap, limit) = (memory.Swap ?? 0, memory.Limit ?? 0);
        if (swap == 0)
            return limit < 0 ? "max" : null;
        if (swap < 0)
            return "max";
        if (limit < 0)
            return Text(swap);
        if (limit == 0)
            throw new RuntimeException("A swap limit needs a memory limit.");
        if (swap < limit)
            throw new RuntimeException($"The limit of memory and swap ({swap}) is below the limit of memory ({limit}).");
        return Text(swap - limit);
    }

    private static IEnumerable<CgroupWrite> Cpu(OciCpu? cpu)
    {
        if (cpu is null)
            yield break;
        if (cpu.RealtimePeriod is > 0 || cpu.RealtimeRuntime is not (null or 0))
            throw new RuntimeException("Real-time processor time cannot be limited here: cgroup v2's cpu controller has no such limit.");
        if (cpu.Shares is { } shares and > 0)
            yield return new("cpu.weight", Text(Weight(shares)));
        if (cpu is { Quota: not null and not 0 } or { Period: > 0 })
            yield return new("cpu.max", $"{(cpu.Quota is > 0 ? Text(cpu.Quota.Value) : "max")} {Text(cpu.Period is > 0 ? cpu.Period.Value : DefaultPeriod)}");
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
        if (Swap(memory) is { } swap)
        {
            if (layout.UnifiedSwap)
                yield return new("memory.swap.max", swap);
            else if (swap is not ("max" or "0"))
                warnings.Add("This kernel does not account swap (there is no memory.swap.max): the swap limit is not held.");
        }
        if (memory.Limit is { } limit && limit != 0)
            yield return new("memory.max", Bytes(limit));
        if (memory.Reservation is { } reservation && reservation != 0)
            yield return new("memory.low", Bytes(reservation));
        if (memory.Swappiness is not null)
            warnings.Add("cgroup v2's memory controller has no swappiness: it is not held.");
        if (memory.DisableOomKiller == true)
            warnings.Add("cgroup v2's memory controller cannot disable the OOM killer: it stays on.");
    }

    /// <summary>The scheduler bfq takes weights as v1 has them; the controller's own are spread wider.</summary>
    private static IEnumerable<CgroupWrite> Io(OciBlockIo? io, CgroupLayout layout, ImmutableArray<string>.Builder warnings)
    {
        if (io is null)
            return [];
        var weights = new List<CgroupWrite>();
        if (layout.UnifiedIoWeight is { } file)
        {
            Func<ushort, string> number = file == "io.weight" ? w => Text(IoWeight(w)) : w => Text(w);
            if (io.Weight is { } weight)
                weights.Add(new(file, file == "io.weight" ? $"default {number(weight)}" : number(weight)));
            weights.AddRange(io.WeightDevice.Select(d => new CgroupWrite(file, $"{d.Major}:{d.Minor} {number(d.Weight)}")));
        }
        else if (io.Weight is not null || !io.WeightDevice.IsEmpty)
        {
            warnings.Add("This kernel's io controller has no weights (it has neither iocost nor the scheduler bfq): block I/O weights are not held.");
        }
        return [
            .. weights,
            .. Throttle("rbps", io.ThrottleReadBpsDevice),
            .. Throttle("wbps", io.ThrottleWriteBpsDevice),
            .. Throttle("riops", io.ThrottleReadIopsDevice),
            .. Throttle("wiops", io.ThrottleWriteIopsDevice),
        ];
    }

    private static IEnumerable<CgroupWrite> Throttle(string key, ImmutableArray<OciThrottle> devices) =>
        devices.Select(d => new CgroupWrite("io.max", $"{d.Major}:{d.Minor} {key}={d.Rate}"));

    private static CgroupWrite Raw(string file, string value) => file.Contains('/', StringComparison.Ordinal)
        ? throw new RuntimeException($"'{file}' is not the name of a cgroup file.")
        : new(file, value);

    private static string Bytes(long bytes) => bytes > 0 ? Text(bytes) : "max";

    private static string Text<T>(T number)
        where T : IFormattable => number.ToString(null, CultureInfo.InvariantCulture);
}
