using System.Collections.Immutable;
using Orchestrator.Worker.Diagnosis;

namespace Orchestrator.Tests.Unit.Worker.Diagnosis;

public sealed class HostFindingsTests
{
    private static readonly HostProbe Good = new()
    {
        Root = true,
        Kernel = new Version(6, 12),
        Namespaces = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"],
        FileSystems = ["overlay", "tmpfs"],
        Controllers = ["cpu", "memory", "pids", "cpuset", "io", "hugetlb"],
        CgroupVersion = "2",
        SwapAccounting = true,
        SeccompActions = ["kill", "allow"],
        Capabilities = ulong.MaxValue,
        Network = new Dictionary<string, string> { ["bridge"] = "", ["nftables"] = "", ["veth"] = "", ["vxlan"] = "" }.ToImmutableSortedDictionary(StringComparer.Ordinal),
        ForeignForwardDrop = false,
        FreeBytes = 1L << 40,
        DataRoot = "/var/lib/orch",
        UserNamespaces = 1000,
        InotifyInstances = 1024,
    };

    [Fact]
    public void A_host_with_everything_is_good() => Assert.All(HostFindings.Of(Good), f => Assert.Equal((FindingLevel.Good, null), (f.Level, f.Advice)));

    [Fact]
    public void What_stops_containers_is_missing_and_says_what_to_do()
    {
        var findings = HostFindings.Of(Good with
        {
            Root = false,
            Kernel = new Version(4, 19),
            Namespaces = ["mnt", "net"],
            FileSystems = ["ext4"],
            Controllers = [],
            SeccompActions = [],
            Network = Good.Network.SetItem("nftables", "no such file or directory"),
        }).Where(f => f.Level == FindingLevel.Missing).ToList();
        Assert.Equal(["cgroups", "kernel", "namespaces", "nftables", "overlayfs", "privilege", "seccomp"], findings.Select(f => f.Subject).Order(StringComparer.Ordinal));
        Assert.All(findings, f => Assert.NotNull(f.Advice));
    }

    [Fact]
    public void What_limits_them_is_no_failure()
    {
        var findings = HostFindings.Of(Good with
        {
            Capabilities = ulong.MaxValue & ~(1UL << 24),
            Kernel = new Version(6, 1),
            Namespaces = Good.Namespaces.Remove("user"),
            Controllers = ["cpu", "memory", "pids"],
            SwapAccounting = false,
            Network = Good.Network.SetItem("vxlan", "operation not supported"),
            ForeignForwardDrop = true,
            FreeBytes = 1 << 20,
            InotifyInstances = 8,
        });
        Assert.DoesNotContain(findings, f => f.Level == FindingLevel.Missing);
        Assert.Equal(
            ["cgroups", "disk", "forwarding", "inotify", "kernel", "privilege", "swap limit", "user namespaces", "vxlan"],
            findings.Where(f => f.Level == FindingLevel.Limited).Select(f => f.Subject).Order(StringComparer.Ordinal));
    }
}
