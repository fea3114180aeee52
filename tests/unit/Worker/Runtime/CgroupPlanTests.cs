using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Unit.Worker.Runtime;

public sealed class CgroupPlanTests
{
    private const string Hybrid = """
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
        37 31 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
        40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
        """;

    private const string Pure = "41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate";

    private static readonly OciResources Limits = new()
    {
        Memory = new OciMemory { Limit = 1000, Swap = 3000, Reservation = 500 },
        Cpu = new OciCpu { Quota = 50_000, Period = 100_000, Shares = 1024, Cpus = "0-1" },
        Pids = new OciPids { Limit = 10 },
    };

    [Fact]
    public void A_hybrid_host_is_recognised()
    {
        var layout = CgroupLayout.Parse(Hybrid);
        Assert.Equal("/sys/fs/cgroup/unified", layout.Unified);
        Assert.Equal(["cpu,cpuacct", "memory", "pids", "freezer"], layout.Legacy.Select(h => string.Join(',', h.Controllers)));
        Assert.Equal("/sys/fs/cgroup/cpu,cpuacct", layout.LegacyMount("cpu"));
        Assert.Null(layout.LegacyMount("devices"));
    }

    [Fact]
    public void On_a_hybrid_v1_holds_the_limits_and_v2_the_processes()
    {
        var plan = CgroupPlan.For(CgroupLayout.Parse(Hybrid) with { SwapAccounting = true }, "/orch/a", Limits);
        Assert.Equal("/sys/fs/cgroup/unified/orch/a", plan.UnifiedDirectory);
        Assert.DoesNotContain("/sys/fs/cgroup/freezer/orch/a", plan.LegacyDirectories);
        Assert.Contains(new CgroupWrite("/sys/fs/cgroup/memory/orch/a/memory.memsw.limit_in_bytes", "3000"), plan.Writes);
        Assert.Contains(new CgroupWrite("/sys/fs/cgroup/cpu,cpuacct/orch/a/cpu.cfs_quota_us", "50000"), plan.Writes);
        Assert.Contains(new CgroupWrite("/sys/fs/cgroup/pids/orch/a/pids.max", "10"), plan.Writes);
        Assert.DoesNotContain(plan.Writes, w => w.File.StartsWith(plan.UnifiedDirectory!, StringComparison.Ordinal));
        Assert.Equal("/sys/fs/cgroup/memory/orch/a/memory.oom_control", plan.OomCounter);
    }

    [Fact]
    public void On_v2_the_same_limits_get_their_v2_names()
    {
        var layout = CgroupLayout.Parse(Pure) with { UnifiedControllers = ["cpuset", "cpu", "io", "memory", "pids"] };
        var plan = CgroupPlan.For(layout, "/orch/a", Limits with { Devices = [new OciDeviceRule { Allow = false }] });
        Assert.Empty(plan.LegacyDirectories);
        Assert.Equal(
            ["cpu.weight=39", "cpu.max=50000 100000", "cpuset.cpus=0-1", "memory.swap.max=2000", "memory.max=1000", "memory.low=500", "pids.max=10"],
            plan.Writes.Select(w => $"{Path.GetFileName(w.File)}={w.Value}"));
        Assert.NotEmpty(plan.DeviceProgram);
        Assert.Equal("/sys/fs/cgroup/orch/a/memory.events", plan.OomCounter);
        Assert.Empty(plan.Warnings);
    }

    [Fact]
    public void A_limit_that_no_controller_holds_is_said()
    {
        var plan = CgroupPlan.For(CgroupLayout.Parse(Pure), "/orch/a", Limits);
        Assert.Contains(plan.Warnings, w => w.Contains("memory", StringComparison.Ordinal));
        Assert.Contains(plan.Warnings, w => w.Contains("pids", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("orch/a")]
    [InlineData("/orch/../a")]
    [InlineData("/")]
    public void A_path_that_leaves_its_place_is_refused(string path) =>
        Assert.Throws<RuntimeException>(() => CgroupPlan.For(CgroupLayout.Parse(Pure), path, Limits));

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1024, 39)]
    [InlineData(262144, 10000)]
    public void Shares_become_weights(ulong shares, ulong weight) => Assert.Equal(weight, UnifiedLimits.Weight(shares));
}
