using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>Limits as cgroup v2 files (Documentation/admin-guide/cgroup-v2.rst), for the controllers that hierarchy has.</summary>
internal static class UnifiedLimits
{
    private const ulong DefaultPeriod = 100_000;

    internal static IEnumerable<CgroupWrite> For(
        ImmutableArray<string> controllers, OciResources resources, ImmutableArray<string>.Builder warnings, bool onlyHierarchy)
    {
        var writes = new List<CgroupWrite>();
        if (controllers.Contains("cpu"))
            writes.AddRange(Cpu(resources.Cpu));
        if (controllers.Contains("cpuset"))
            writes.AddRange(CpuSet(resources.Cpu));
        if (controllers.Contains("memory"))
            writes.AddRange(Memory(resources.Memory));
        if (controllers.Contains("pids") && resources.Pids is { } pids)
            writes.Add(new("pids.max", pids.Limit > 0 ? Text(pids.Limit) : "max"));
        if (controllers.Contains("io"))
            writes.AddRange(Io(resources.BlockIO));
        writes.AddRange(resources.Unified.OrderBy(u => u.Key, StringComparer.Ordinal).Select(u => Raw(u.Key, u.Value)));
        if (onlyHierarchy)
            warnings.AddRange(Missing(controllers, resources));
        return writes;
    }

    /// <summary>cgroup v1 shares (2 to 262144, default 1024) as a v2 weight (1 to 10000, default 100), as runc and systemd map them.</summary>
    internal static ulong Weight(ulong shares) => 1 + ((Math.Clamp(shares, 2, 262144) - 2) * 9999 / 262142);

    private static IEnumerable<CgroupWrite> Cpu(OciCpu? cpu)
    {
        if (cpu?.Shares is { } shares and > 0)
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

    private static IEnumerable<CgroupWrite> Memory(OciMemory? memory)
    {
        if (memory is null)
            yield break;
        if (memory.Limit is { } limit && limit != 0)
            yield return new("memory.max", Bytes(limit));
        if (memory.Swap is { } swap && swap != 0)
        {
            // v1 and the spec count memory and swap together, v2 counts swap alone.
            if (swap > 0 && memory.Limit is not > 0)
                throw new RuntimeException("A swap limit needs a memory limit.");
            if (swap > 0 && swap < memory.Limit)
                throw new RuntimeException($"The limit of memory and swap ({swap}) is below the limit of memory ({memory.Limit}).");
            yield return new("memory.swap.max", swap > 0 ? Text(swap - memory.Limit!.Value) : "max");
        }
        if (memory.Reservation is { } reservation && reservation != 0)
            yield return new("memory.low", Bytes(reservation));
    }

    private static IEnumerable<CgroupWrite> Io(OciBlockIo? io)
    {
        if (io is null)
            return [];
        IEnumerable<CgroupWrite> weight = io.Weight is { } w ? [new("io.bfq.weight", Text(w))] : [];
        return [
            .. weight,
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

    private static IEnumerable<string> Missing(ImmutableArray<string> controllers, OciResources resources)
    {
        if (resources.Memory is { Limit: not null } && !controllers.Contains("memory"))
            yield return "This host's cgroups have no memory controller: the memory limit is not held.";
        if (resources.Cpu is { Quota: not null } or { Shares: not null } && !controllers.Contains("cpu"))
            yield return "This host's cgroups have no cpu controller: cpu limits are not held.";
        if (resources.Pids is not null && !controllers.Contains("pids"))
            yield return "This host's cgroups have no pids controller: the limit of processes is not held.";
    }

    private static string Bytes(long bytes) => bytes > 0 ? Text(bytes) : "max";

    private static string Text<T>(T number)
        where T : IFormattable => number.ToString(null, CultureInfo.InvariantCulture);
}
