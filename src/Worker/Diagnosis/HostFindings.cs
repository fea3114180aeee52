using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Worker.Diagnosis;

/// <summary>How much a finding matters.</summary>
internal enum FindingLevel
{
    Good,

    /// <summary>Works, with less than people may expect.</summary>
    Limited,

    /// <summary>Containers will not run.</summary>
    Missing,
}

/// <param name="Subject">What was looked at.</param>
/// <param name="Text">What was found.</param>
/// <param name="Advice">What to do about it; null when nothing.</param>
internal sealed record Finding(FindingLevel Level, string Subject, string Text, string? Advice = null);

/// <summary>What a host offers, as read or tried.</summary>
internal sealed record HostProbe
{
    public required bool Root { get; init; }
    public required Version Kernel { get; init; }

    /// <summary>By name: <c>pid</c>, <c>net</c>, …</summary>
    public required ImmutableHashSet<string> Namespaces { get; init; }

    public required ImmutableHashSet<string> FileSystems { get; init; }

    /// <summary>Of both hierarchies.</summary>
    public required ImmutableHashSet<string> Controllers { get; init; }

    /// <summary><c>1</c>, <c>2</c> or <c>hybrid</c>.</summary>
    public required string CgroupVersion { get; init; }

    public required bool SwapAccounting { get; init; }

    /// <summary>The kernel's seccomp actions; empty: it has none.</summary>
    public required ImmutableHashSet<string> SeccompActions { get; init; }

    /// <summary>By bit number, capabilities(7).</summary>
    public required ulong Capabilities { get; init; }

    /// <summary>Why each of these could not be made in a network namespace of its own; empty text: it could.</summary>
    public required ImmutableSortedDictionary<string, string> Network { get; init; }

    /// <summary>Containers' packets are dropped by another program's rules unless it is told otherwise.</summary>
    public required bool ForeignForwardDrop { get; init; }

    public required long FreeBytes { get; init; }
    public required string DataRoot { get; init; }
    public required long UserNamespaces { get; init; }
    public required long InotifyInstances { get; init; }
}

/// <summary>What a host can and cannot do for containers, and what to do about it. Pure.</summary>
internal static class HostFindings
{
    private const int SysAdmin = 21;
    private const int NetAdmin = 12;
    private const int SysResource = 24;
    private const long LittleSpace = 1L << 30;
    private static readonly Version Oldest = new(5, 15);
    private static readonly Version Comfortable = new(6, 5);

    internal static ImmutableArray<Finding> Of(HostProbe host)
    {
        var found = ImmutableArray.CreateBuilder<Finding>();
        void Good(string subject, string text) => found.Add(new(FindingLevel.Good, subject, text));
        void Limited(string subject, string text, string advice) => found.Add(new(FindingLevel.Limited, subject, text, advice));
        void Missing(string subject, string text, string advice) => found.Add(new(FindingLevel.Missing, subject, text, advice));
        bool Can(int capability) => (host.Capabilities >> capability & 1) == 1;

        if (!host.Root || !Can(SysAdmin) || !Can(NetAdmin))
            Missing("privilege", host.Root ? "root without CAP_SYS_ADMIN or CAP_NET_ADMIN" : "not root", "run the daemon as root with all capabilities");
        else if (!Can(SysResource))
            Limited("privilege", "root without CAP_SYS_RESOURCE", "ulimits above the daemon's own and negative OOM scores are lowered to what is allowed");
        else
            Good("privilege", "root with the capabilities that are needed");

        if (host.Kernel < Oldest)
            Missing("kernel", $"{host.Kernel} is older than {Oldest}", $"use a kernel of {Oldest} or newer");
        else if (host.Kernel < Comfortable)
            Limited("kernel", $"{host.Kernel}", $"images with very many layers need {Comfortable}");
        else
            Good("kernel", $"{host.Kernel}");

        var namespaces = new[] { "cgroup", "ipc", "mnt", "net", "pid", "uts" }.Except(host.Namespaces).ToList();
        if (namespaces.Count > 0)
            Missing("namespaces", $"the kernel has no {string.Join(", ", namespaces)} namespaces", "use a kernel with CONFIG_NAMESPACES and its parts");
        else
            Good("namespaces", "cgroup ipc mnt net pid uts");
        if (!host.Namespaces.Contains("user") || host.UserNamespaces == 0)
            Limited("user namespaces", "not available", "--userns-remap will not work; see sysctl user.max_user_namespaces");
        else
            Good("user namespaces", string.Create(CultureInfo.InvariantCulture, $"up to {host.UserNamespaces}"));

        if (!host.FileSystems.Contains("overlay"))
            Missing("overlayfs", "the kernel does not know it", "modprobe overlay");
        else
            Good("overlayfs", "there");

        Cgroups(host, Good, Limited, Missing);

        if (host.SeccompActions.IsEmpty)
            Missing("seccomp", "the kernel has no system call filters", "use a kernel with CONFIG_SECCOMP_FILTER");
        else
            Good("seccomp", string.Join(' ', host.SeccompActions.Order(StringComparer.Ordinal)));

        foreach (var (kind, problem) in host.Network)
        {
            if (problem.Length == 0)
                Good(kind, "can be made");
            else if (kind == "vxlan")
                Limited(kind, problem, "overlay networks between hosts need it: modprobe vxlan");
            else
                Missing(kind, problem, $"modprobe {(kind == "nftables" ? "nf_tables nft_chain_nat" : kind)}");
        }

        if (host.ForeignForwardDrop)
            Limited("forwarding", "another program's firewall drops forwarded packets", "orch adds its networks to the chains it knows; check published ports from outside");

        if (host.FreeBytes < LittleSpace)
            Limited("disk", string.Create(CultureInfo.InvariantCulture, $"{host.FreeBytes >> 20} MiB free below {host.DataRoot}"), "orch system prune, or give --data-root a larger file system");
        else
            Good("disk", string.Create(CultureInfo.InvariantCulture, $"{host.FreeBytes >> 30} GiB free below {host.DataRoot}"));
        if (host.InotifyInstances < 128)
            Limited("inotify", string.Create(CultureInfo.InvariantCulture, $"{host.InotifyInstances} instances a user"), "sysctl fs.inotify.max_user_instances=512");
        return found.ToImmutable();
    }

    private static void Cgroups(HostProbe host, Action<string, string> good, Action<string, string, string> limited, Action<string, string, string> missing)
    {
        const string subject = "cgroups";
        var needed = new[] { "cpu", "memory", "pids" }.Except(host.Controllers).ToList();
        var wanted = new[] { "cpuset", "io", "blkio", "hugetlb" }.Except(host.Controllers).Where(c => c != (host.CgroupVersion == "2" ? "blkio" : "io")).ToList();
        if (host.Controllers.IsEmpty)
            missing(subject, "no controller is mounted", "mount cgroup v2 at /sys/fs/cgroup: mount -t cgroup2 none /sys/fs/cgroup");
        else if (needed.Count > 0)
            limited(subject, $"version {host.CgroupVersion} without {string.Join(", ", needed)}", "limits of these kinds are refused; boot without cgroup_disable, or delegate the controllers to this cgroup");
        else if (wanted.Count > 0)
            limited(subject, $"version {host.CgroupVersion} without {string.Join(", ", wanted)}", "limits of these kinds are refused");
        else
            good(subject, $"version {host.CgroupVersion}: {string.Join(' ', host.Controllers.Order(StringComparer.Ordinal))}");
        if (!host.SwapAccounting)
            limited("swap limit", "swap is not counted", "boot with swapaccount=1 for --memory-swap to hold");
    }
}
