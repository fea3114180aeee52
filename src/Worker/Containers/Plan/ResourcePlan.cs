using System.Collections.Immutable;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Limits of processor, memory, processes and open files.</summary>
internal static class ResourcePlan
{
    private const long LeastMemory = 6L << 20;
    private const long Period = 100_000;

    private static readonly string[] UlimitNames =
    [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending",
        "stack", "as",
    ];

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
        CheckCpuSet("CpusetMems", host.CpusetMems, int.MaxValue, problems);
        CheckUlimits(host.Ulimits, "HostConfig.Ulimits", problems);
    }

    internal static void CheckUlimits(IReadOnlyList<Ulimit> limits, string where, List<Problem> problems)
    {
        foreach (var limit in limits)
        {
            if (!UlimitNames.Contains(limit.Name))
                problems.Add(new Problem(where, $"invalid ulimit type: {limit.Name}"));
            else if ((limit.Soft > limit.Hard || limit.Soft == -1) && limit.Hard != -1)
                problems.Add(new Problem(where, $"ulimit soft limit must be less than or equal to hard limit: {limit.Soft} > {limit.Hard}"));
        }

        foreach (var twice in limits.GroupBy(l => l.Name, StringComparer.Ordinal).Where(g => g.Count() > 1))
            problems.Add(new Problem(where, $"ulimit {twice.Key} is set twice"));
    }

    internal static OciResources Of(HostConfig host, HostFacts facts) => new()
    {
        Devices = SpecDefaults.DeviceRules,
        Memory = Memory(host, facts),
        Cpu = Cpu(host),
        Pids = host.PidsLimit is > 0 ? new OciPids { Limit = host.PidsLimit.Value } : null,
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

    private static OciMemory? Memory(HostConfig host, HostFacts facts)
    {
        if (host.Memory == 0 && host.MemoryReservation == 0)
            return null;
        return new OciMemory
        {
            Limit = host.Memory > 0 ? host.Memory : null,
            Reservation = host.MemoryReservation > 0 ? host.MemoryReservation : null,
            // Unset means as much swap again as memory, which is what Docker does.
            Swap = !facts.SwapLimit || host.Memory == 0 ? null : host.MemorySwap == 0 ? host.Memory * 2 : host.MemorySwap,
        };
    }

    private static OciCpu? Cpu(HostConfig host)
    {
        var cpu = new OciCpu
        {
            Shares = host.CpuShares > 0 ? (ulong)host.CpuShares : null,
            Quota = host.NanoCpus > 0 ? host.NanoCpus * Period / 1_000_000_000 : host.CpuQuota > 0 ? host.CpuQuota : null,
            Period = host.NanoCpus > 0 ? (ulong)Period : host.CpuPeriod > 0 ? (ulong)host.CpuPeriod : null,
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
                    "HostConfig." + field, $"Requested CPUs are not available - requested {text}, available: 0-{count - 1}"));
                return;
            }
        }
    }
}
