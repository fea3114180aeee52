using System.Collections.Immutable;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Unit.Worker.Runtime;

public sealed class UnifiedLimitTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("orch-cgroup-").FullName;

    private CgroupLayout Layout => new([], root, ["cpu", "cpuset", "io", "memory", "pids", "hugetlb"], SwapAccounting: false) { UnifiedIoWeight = "io.weight" };

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData(0, 0, null)]
    [InlineData(100, 0, null)]
    [InlineData(100, 300, "200")]
    [InlineData(100, 100, "0")]
    [InlineData(100, -1, "max")]
    [InlineData(-1, 0, "max")]
    [InlineData(-1, 300, "300")]
    public void Memory_and_swap_together_become_swap_alone(long memory, long swap, string? expected) =>
        Assert.Equal(expected, UnifiedLimits.Swap(new OciMemory { Limit = memory, Swap = swap }));

    [Theory]
    [InlineData(0, 300)]
    [InlineData(400, 300)]
    public void Swap_without_or_below_memory_is_refused(long memory, long swap) =>
        Assert.Throws<RuntimeException>(() => UnifiedLimits.Swap(new OciMemory { Limit = memory, Swap = swap }));

    [Theory]
    [InlineData(10, 1)]
    [InlineData(100, 910)]
    [InlineData(500, 4950)]
    [InlineData(1000, 10000)]
    public void Block_io_weights_are_spread(ulong weight, ulong expected) => Assert.Equal(expected, UnifiedLimits.IoWeight(weight));

    [Fact]
    public void Every_v2_file_gets_its_value()
    {
        var plan = CgroupPlan.For(Layout, "/orch/a", new OciResources
        {
            Cpu = new OciCpu { Shares = 512, Quota = 30_000, Period = 60_000, Cpus = "0", Mems = "0" },
            Memory = new OciMemory { Limit = 1000, Swap = 1500, Reservation = 400 },
            Pids = new OciPids { Limit = 7 },
            BlockIO = new OciBlockIo
            {
                Weight = 500, WeightDevice = [new OciWeightDevice { Major = 8, Minor = 0, Weight = 10 }],
                ThrottleReadBpsDevice = [new OciThrottle { Major = 8, Minor = 0, Rate = 5 }], ThrottleWriteIopsDevice = [new OciThrottle { Major = 8, Minor = 16, Rate = 6 }],
            },
            HugepageLimits = [new OciHugepageLimit { PageSize = "2MB", Limit = 4096 }],
            Unified = ImmutableDictionary<string, string>.Empty.Add("memory.high", "900"),
        });
        Assert.Equal(
            [
                "cpu.weight=20", "cpu.max=30000 60000", "cpuset.cpus=0", "cpuset.mems=0", "memory.swap.max=500", "memory.max=1000", "memory.low=400", "pids.max=7",
                "io.weight=default 4950", "io.weight=8:0 1", "io.max=8:0 rbps=5", "io.max=8:16 wiops=6", "hugetlb.2MB.max=4096", "memory.high=900",
            ],
            plan.Writes.Select(w => $"{Path.GetRelativePath($"{root}/orch/a", w.File)}={w.Value}"));
        Assert.Equal(["cpu", "cpuset", "memory", "pids", "io", "hugetlb"], plan.UnifiedControllers);
        Assert.Empty(plan.Warnings);
    }

    [Fact]
    public void Parents_hand_controllers_down_from_the_root_on_also_those_that_were_there()
    {
        foreach (var directory in (string[])["", "/user", "/user/orch"])
        {
            Directory.CreateDirectory(root + directory);
            File.WriteAllText($"{root}{directory}/cgroup.controllers", "");
            File.WriteAllText($"{root}{directory}/cgroup.subtree_control", "");
        }
        CgroupParents.MakeUnified($"{root}/user/orch", ["cpu", "memory"]);
        Assert.All((string[])["", "/user", "/user/orch"], d => Assert.Equal("+cpu +memory", File.ReadAllText($"{root}{d}/cgroup.subtree_control")));
    }

    [Fact]
    public void A_change_writes_what_it_names_and_nothing_else()
    {
        var group = Group(("cpu.weight", "20"), ("pids.max", "77"));
        Assert.Empty(group.Update(Layout, new OciResources { Pids = new OciPids { Limit = 88 } }));
        Assert.Equal(["cpu.weight=20", "pids.max=88"], Files());
    }

    [Fact]
    public void A_change_that_fails_half_way_is_taken_back()
    {
        var group = Group(("cpu.weight", "20"));
        var failure = Assert.Throws<RuntimeException>(() => group.Update(Layout, new OciResources { Cpu = new OciCpu { Shares = 1024 }, Pids = new OciPids { Limit = 9 } }));
        Assert.Contains("pids.max", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["cpu.weight=20"], Files());
    }

    [Theory]
    [InlineData(100, 300, 50, "memsw,limit")]
    [InlineData(100, -1, 50, "memsw,limit")]
    [InlineData(30, 40, 50, "limit,memsw")]
    [InlineData(30, 60, 50, "memsw,limit")]
    public void Memory_grows_from_the_outside_in_and_shrinks_from_the_inside_out(long memory, long both, long now, string expected)
    {
        ImmutableArray<CgroupWrite> writes = [new("/m/memory.limit_in_bytes", $"{memory}"), new("/m/memory.memsw.limit_in_bytes", $"{both}")];
        Assert.Equal(expected, string.Join(',', CgroupChange.Order(writes, _ => now).Select(w => w.File.Split('.')[1]).Select(f => f == "memsw" ? f : "limit")));
    }

    [Fact]
    public void A_weight_that_no_scheduler_takes_is_said_and_not_written()
    {
        var warnings = ImmutableArray.CreateBuilder<string>();
        Assert.Empty(UnifiedLimits.For(Layout with { UnifiedIoWeight = null }, new OciResources { BlockIO = new OciBlockIo { Weight = 500 } }, warnings));
        Assert.Contains("weights are not held", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Equal(["io.bfq.weight=500"], UnifiedLimits.For(
            Layout with { UnifiedIoWeight = "io.bfq.weight" }, new OciResources { BlockIO = new OciBlockIo { Weight = 500 } }, warnings).Select(w => $"{w.File}={w.Value}"));
    }

    [Fact]
    public void Realtime_time_is_refused_by_name() => Assert.Contains(
        "real-time", Assert.Throws<RuntimeException>(() => Plan(new OciResources { Cpu = new OciCpu { RealtimeRuntime = 1000 } })).Message, StringComparison.OrdinalIgnoreCase);

    private CgroupPlan Plan(OciResources resources) => CgroupPlan.For(Layout, "/orch/a", resources);

    /// <summary>A file system of files: what is written must be as long as what was there.</summary>
    private Cgroup Group(params ReadOnlySpan<(string Name, string Text)> files)
    {
        Directory.CreateDirectory($"{root}/orch/a");
        foreach (var (name, text) in files)
            File.WriteAllText($"{root}/orch/a/{name}", text);
        return Cgroup.Adopt(Plan(new OciResources()));
    }

    private IEnumerable<string> Files() =>
        Directory.EnumerateFiles($"{root}/orch/a").Order(StringComparer.Ordinal).Select(f => $"{Path.GetFileName(f)}={File.ReadAllText(f)}");
}
