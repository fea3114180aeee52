using System.Collections.Immutable;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>A cgroup v1 hierarchy: where it is mounted and which controllers it has.</summary>
internal sealed record LegacyHierarchy(string MountPoint, ImmutableArray<string> Controllers);

/// <summary>How this host's cgroups are mounted: v1, v2, or both side by side (hybrid).</summary>
/// <param name="Legacy">v1 hierarchies that have controllers.</param>
/// <param name="Unified">Where the v2 hierarchy is mounted, if it is.</param>
/// <param name="UnifiedControllers">Controllers that the v2 hierarchy has; in a hybrid these are those v1 has not.</param>
/// <param name="SwapAccounting">v1 memory groups have <c>memory.memsw.*</c> files.</param>
internal sealed record CgroupLayout(
    ImmutableArray<LegacyHierarchy> Legacy,
    string? Unified,
    ImmutableArray<string> UnifiedControllers,
    bool SwapAccounting)
{
    /// <summary>v2 memory groups have <c>memory.swap.max</c>.</summary>
    public bool UnifiedSwap { get; init; } = true;

    /// <summary>v1: what stands before <c>weight</c> in the names of the files that hold block I/O weights; null: there are none.</summary>
    public string? LegacyIoWeight { get; init; }

    /// <summary>v2: the file that holds block I/O weights; null: there is none.</summary>
    public string? UnifiedIoWeight { get; init; }

    /// <summary>v1 cpu groups can limit real-time processes (the kernel has RT_GROUP_SCHED).</summary>
    public bool Realtime { get; init; }

    private static readonly ImmutableHashSet<string> Controllers =
    [
        "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids",
        "net_cls", "net_prio", "perf_event", "hugetlb", "rdma", "misc",
    ];

    /// <summary>Where a v1 controller is mounted.</summary>
    internal string? LegacyMount(string controller) =>
        Legacy.FirstOrDefault(h => h.Controllers.Contains(controller))?.MountPoint;

    /// <summary>Some hierarchy has the controller.</summary>
    internal bool Holds(string controller) => LegacyMount(controller) is not null || UnifiedControllers.Contains(controller);

    /// <summary>Reads the host's layout.</summary>
    internal static CgroupLayout Discover()
    {
        var layout = Parse(File.ReadAllText("/proc/self/mountinfo"));
        var bfq = OffersBfq();
        return layout with
        {
            UnifiedSwap = CountsSwap(layout.Unified),
            LegacyIoWeight = layout.LegacyMount("blkio") is { } blkio && File.Exists($"{blkio}/blkio.weight") ? "blkio." : bfq ? "blkio.bfq." : null,
            // Files of a group's own are not in the root; iocost's are there alone (cgroup-v2.rst).
            UnifiedIoWeight = bfq ? "io.bfq.weight" : layout.Unified is { } io && File.Exists($"{io}/io.cost.qos") ? "io.weight" : null,
            Realtime = layout.LegacyMount("cpu") is { } cpu && File.Exists($"{cpu}/cpu.rt_runtime_us"),
            UnifiedControllers = layout.Unified is { } v2 && File.Exists($"{v2}/cgroup.controllers")
                ? [.. File.ReadAllText($"{v2}/cgroup.controllers").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)]
                : [],
            SwapAccounting = layout.LegacyMount("memory") is { } memory && File.Exists($"{memory}/memory.memsw.limit_in_bytes"),
        };
    }

    /// <summary>Finds the mounts in the text of mountinfo (proc_pid_mountinfo(5)): fields before <c>-</c> vary in number, those after do not.</summary>
    internal static CgroupLayout Parse(string mountInfo)
    {
        var legacy = ImmutableArray.CreateBuilder<LegacyHierarchy>();
        string? unified = null;
        foreach (var line in mountInfo.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var halves = line.Split(" - ", 2);
            if (halves.Length != 2)
                continue;
            var (before, after) = (halves[0].Split(' '), halves[1].Split(' '));
            if (before.Length < 5 || after.Length < 3)
                continue;
            var point = Unescape(before[4]);
            if (after[0] == "cgroup2")
            {
                unified ??= point;
            }
            else if (after[0] == "cgroup")
            {
                ImmutableArray<string> controllers = [.. after[2].Split(',').Where(Controllers.Contains)];
                if (!controllers.IsEmpty && !legacy.Any(h => h.Controllers.SequenceEqual(controllers)))
                    legacy.Add(new LegacyHierarchy(point, controllers));
            }
        }
        return new CgroupLayout(legacy.ToImmutable(), unified, [], SwapAccounting: false);
    }

    /// <summary>Any disk may be given to the scheduler bfq, which brings its files to every group.</summary>
    private static bool OffersBfq() => Directory.Exists("/sys/block") && Directory.EnumerateDirectories("/sys/block")
        .Select(disk => $"{disk}/queue/scheduler").Where(File.Exists)
        .Any(file => File.ReadAllText(file).Contains("bfq", StringComparison.Ordinal));

    /// <summary>Our own group tells, where it has memory's files; else whether the kernel has swap at all.</summary>
    private static bool CountsSwap(string? unified)
    {
        var own = File.ReadLines("/proc/self/cgroup").FirstOrDefault(l => l.StartsWith("0::/", StringComparison.Ordinal))?[3..].TrimEnd('/');
        return unified is not null && own is not null && File.Exists($"{unified}{own}/memory.max")
            ? File.Exists($"{unified}{own}/memory.swap.max")
            : File.Exists("/proc/swaps");
    }

    private static string Unescape(string path) => path
        .Replace("\\040", " ", StringComparison.Ordinal)
        .Replace("\\011", "\t", StringComparison.Ordinal)
        .Replace("\\134", "\\", StringComparison.Ordinal);
}
