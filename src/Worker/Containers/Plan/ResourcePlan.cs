using System.Collections.Immutable;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Limits of processor, memory, processes and open files.</summary>
internal static class ResourcePlan
{
    private const long LeastMemory = 6L << 20;
    private const long Period = 100_000;

    /// <summary>Says everything that is impossible, in Docker's words.</summary>
    internal static void Check(HostConfig host, HostFacts facts, List<Problem> problems)
    {
        void Refuse(string field, string message) => problems.Add(new Problem("HostConfig." + field, message));

        if (host.Memory is > 0 and < LeastMemory)
            Refuse("Memory", "Minimum memory limit allowed is 6MB");
        if (host.Memory < 0)
            Refuse("Memory", "the memory limit cannot be negative");
        if (host.Memory > 0 && host.MemorySwap > 0 && host.MemorySwap < host.Memory)
            Refuse("MemorySwap", "Minimum memoryswap limit should be larger than memory limit, see usage");
        if (host.MemorySwap < -1)
            Refuse("MemorySwap", "the limit of memory and swap cannot be negative; -1 is unlimited swap");
        if (host.MemoryReservation is > 0 and < LeastMemory)
            Refuse("MemoryReservation", "Minimum memory reservation allowed is 6MB");
        if (host.MemoryReservation < 0)
            Refuse("MemoryReservation", "the memory reservation cannot be negative");
        if (host.MemorySwappiness is < -1 or > 100)
            Refuse("MemorySwappiness", $"Invalid value: {host.MemorySwappiness}, valid memory swappiness range is 0-100");
        if (host.NanoCpus > 0 && !facts.Limits.Cpu)
            Refuse("NanoCpus", "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted");
        if ((host.CpuRealtimePeriod != 0 || host.CpuRealtimeRuntime != 0) && !facts.Limits.Realtime)
            Refuse(host.CpuRealtimePeriod != 0 ? "CpuRealtimePeriod" : "CpuRealtimeRuntime", "Your kernel does not support CPU real-time scheduler");
        if (host.CpuRealtimePeriod < 0 || host.CpuRealtimeRuntime < 0)
            Refuse(host.CpuRealtimePeriod < 0 ? "CpuRealtimePeriod" : "CpuRealtimeRuntime", "real-time period and runtime are microseconds and cannot be negative");
        if (host.CpuRealtimeRuntime > 0 && host.CpuRealtimeRuntime > (host.CpuRealtimePeriod > 0 ? host.CpuRealtimePeriod : 1_000_000))
            Refuse("CpuRealtimeRuntime", "cpu real-time runtime cannot be higher than cpu real-time period");
        if (host.Memory == 0 && host.MemorySwap > 0)
            Refuse("MemorySwap", "You should always set the Memory limit when using Memoryswap limit, see usage");
        if (host.Memory > 0 && host.MemoryReservation > host.Memory)
            Refuse("MemoryReservation", "Minimum memory limit can not be less than memory reservation limit, see usage");
        if (host.NanoCpus > 0 && (host.CpuQuota > 0 || host.CpuPeriod > 0))
            Refuse("NanoCpus", "Conflicting options: Nano CPUs and CPU Period/Quota cannot both be set");
        if (host.NanoCpus < 0 || host.NanoCpus > facts.Cpus * 1_000_000_000L || host.NanoCpus is > 0 and < 10_000_000)
            Refuse("NanoCpus", $"range of CPUs is from 0.01 to {facts.Cpus}.00, as there are only {facts.Cpus} CPUs available");
        if (host.CpuPeriod != 0 && host.CpuPeriod is < 1000 or > 1_000_000)
            Refuse("CpuPeriod", "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
        if (host.CpuQuota is > 0 and < 1000)
            Refuse("CpuQuota", "CPU cfs quota can not be less than 1ms (i.e. 1000)");
        if (host.CpuShares < 0)
            Refuse("CpuShares", $"invalid CPU shares ({host.CpuShares}): value must be a positive integer");
        if (host.OomScoreAdj is < -1000 or > 1000)
            Refuse("OomScoreAdj", $"Invalid value {host.OomScoreAdj}, range for oom score adj is [-1000, 1000]");
        CheckCpuSet("CpusetCpus", host.CpusetCpus, facts.Cpus, problems);
        CheckCpuSet("CpusetMems", host.CpusetMems, facts.Limits.MemoryNodes, problems);
        IoLimitPlan.Check(host, problems);
        CgroupParentPlan.Check(host.CgroupParent, problems);
        CheckUlimits(host.Ulimits, "HostConfig.Ulimits", problems);
    }

    internal static void CheckUlimits(IReadOnlyList<Ulimit> limits, string where, List<Problem> problems)
    {
        foreach (var problem in UlimitValidation.Check(limits))
            problems.Add(new Problem(where, problem));
    }

    /// <param name="host">The container's.</param>
    /// <param name="facts">The host's.</param>
    /// <param name="blocks">Numbers of the block devices that the limits name.</param>
    internal static OciResources Of(HostConfig host, HostFacts facts, ImmutableDictionary<string, (uint Major, uint Minor)> blocks) => new()
    {
        Devices = SpecDefaults.DeviceRules,
        Memory = Memory(host, facts),
        Cpu = Cpu(host),
        Pids = host.PidsLimit is > 0 ? new OciPids { Limit = host.PidsLimit.Value } : null,
        BlockIO = IoLimitPlan.Of(host, blocks),
    };

    internal static ImmutableArray<OciRlimit> Rlimits(HostConfig host) =>
    [
        .. host.Ulimits.Select(limit => new OciRlimit
        {
            Type = "RLIMIT_" + limit.Name.ToUpperInvariant(),
            Soft = Amount(limit.Soft),
            Hard = Amount(limit.Hard),
        }),
    ];

    internal static OciMemory? Memory(HostConfig host, HostFacts facts)
    {
        var memory = new OciMemory
        {
            Limit = host.Memory > 0 ? host.Memory : null,
            Reservation = host.MemoryReservation > 0 ? host.MemoryReservation : null,
            Swap = !facts.Limits.Swap || host.Memory == 0 ? null : SwapOf(host),
            Swappiness = host.MemorySwappiness is >= 0 ? (ulong)host.MemorySwappiness : null,
            DisableOomKiller = host.OomKillDisable == true ? true : null,
        };
        return memory == new OciMemory() ? null : memory;
    }

    /// <summary>Memory and swap together. Unset means as much swap again as memory, which is what Docker does; 0: no limit is set.</summary>
    internal static long SwapOf(HostConfig host) => host.MemorySwap == 0 ? host.Memory * 2 : host.MemorySwap;

    internal static OciCpu? Cpu(HostConfig host)
    {
        var cpu = new OciCpu
        {
            Shares = host.CpuShares > 0 ? (ulong)host.CpuShares : null,
            Quota = host.NanoCpus > 0 ? host.NanoCpus * Period / 1_000_000_000 : host.CpuQuota != 0 ? host.CpuQuota : null,
            Period = host.NanoCpus > 0 ? (ulong)Period : host.CpuPeriod > 0 ? (ulong)host.CpuPeriod : null,
            RealtimePeriod = host.CpuRealtimePeriod > 0 ? (ulong)host.CpuRealtimePeriod : null,
            RealtimeRuntime = host.CpuRealtimeRuntime > 0 ? host.CpuRealtimeRuntime : null,
            Cpus = string.IsNullOrEmpty(host.CpusetCpus) ? null : host.CpusetCpus,
            Mems = string.IsNullOrEmpty(host.CpusetMems) ? null : host.CpusetMems,
        };
        return cpu == new OciCpu() ? null : cpu;
    }

    private static ulong Amount(long value) => value < 0 ? ulong.MaxValue : (ulong)value;

    private static void CheckCpuSet(string field, string? text, int count, List<Problem> problems)
    {
        if (string.IsNullOrEmpty(text))
            return;
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-');
            var numbers = ends.Select(e => int.TryParse(e, System.Globalization.NumberStyles.None, null, out var n) ? n : -1).ToArray();
            if (ends.Length > 2 || numbers.Contains(-1) || (numbers.Length == 2 && numbers[0] > numbers[1]))
            {
                problems.Add(new Problem("HostConfig." + field, $"Invalid value {text} for {(field == "CpusetCpus" ? "cpuset cpus" : "cpuset mems")}"));
                return;
            }

            if (numbers.Max() >= count)
            {
                problems.Add(new Problem(
                    "HostConfig." + field,
                    $"Requested {(field == "CpusetCpus" ? "CPUs" : "memory nodes")} are not available - requested {text}, available: {(count == 1 ? "0" : $"0-{count - 1}")}"));
                return;
            }
        }
    }
}
