using System.Globalization;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Integration.Runtime;

/// <summary>What the kernel holds of a container's limits, on v1, v2 and both: each is read back from the file that holds it.</summary>
public sealed class CgroupTests
{
    private const long Mebi = 1 << 20;

    public CgroupTests() => RuntimeHost.NeedRoot();

    private static CgroupLayout Layout { get; } = CgroupLayout.Discover();

    [Fact]
    public async Task Every_limit_is_read_back_from_the_file_that_holds_it()
    {
        await using var host = new RuntimeHost();
        await host.StartAsync(Limited(host, "all", new OciResources
        {
            Cpu = new OciCpu { Shares = 512, Quota = 30_000, Period = 60_000, Cpus = "0", Mems = "0" },
            Memory = new OciMemory { Limit = 64 * Mebi, Swap = 96 * Mebi, Reservation = 32 * Mebi },
            Pids = new OciPids { Limit = 77 },
        }));
        string[] asked =
        [
            Layout.LegacyMount("cpu") is null ? "cpu.weight=20" : "cpu.shares=512",
            .. Layout.LegacyMount("cpu") is null ? ["cpu.max=30000 60000"] : (string[])["cpu.cfs_quota_us=30000", "cpu.cfs_period_us=60000"],
            "cpuset.cpus=0", "cpuset.mems=0", "pids.max=77",
            .. Layout.LegacyMount("memory") is null
                ? ["memory.max=67108864", "memory.low=33554432", .. Layout.UnifiedSwap ? ["memory.swap.max=33554432"] : Array.Empty<string>()]
                : (string[])
                [
                    "memory.limit_in_bytes=67108864", "memory.soft_limit_in_bytes=33554432",
                    .. Layout.SwapAccounting ? ["memory.memsw.limit_in_bytes=100663296"] : Array.Empty<string>(),
                ],
        ];
        Assert.Equal(asked, asked.Select(a => a.Split('=')[0]).Select(file => $"{file}={Read(host, "all", file)}"));
    }

    [Fact]
    public async Task Swappiness_and_the_oom_killer_are_v1s_and_said_to_be_missing_on_v2()
    {
        await using var host = new RuntimeHost();
        var memory = new OciMemory { Limit = 64 * Mebi, Swappiness = 13, DisableOomKiller = true };
        if (Layout.LegacyMount("memory") is null)
        {
            var plan = CgroupPlan.For(Layout, "/orch-test/x", new OciResources { Memory = memory });
            Assert.Equal(2, plan.Warnings.Length);
            Assert.DoesNotContain(plan.Writes, w => w.File.EndsWith("swappiness", StringComparison.Ordinal));
            return;
        }
        await host.StartAsync(Limited(host, "v1", new OciResources { Memory = memory }));
        Assert.Equal("13", Read(host, "v1", "memory.swappiness"));
        Assert.StartsWith("oom_kill_disable 1", Read(host, "v1", "memory.oom_control"));
    }

    [Fact]
    public async Task Block_io_is_held_to_its_rate()
    {
        await using var host = new RuntimeHost();
        var (major, minor) = DiskOf(host.Root);
        var rate = new OciThrottle { Major = major, Minor = minor, Rate = (ulong)Mebi };
        var request = Limited(host, "io", new OciResources
        {
            BlockIO = new OciBlockIo
            {
                ThrottleWriteBpsDevice = [rate], ThrottleReadBpsDevice = [rate with { Rate = 5_000_000 }],
                ThrottleReadIopsDevice = [rate with { Rate = 300 }], ThrottleWriteIopsDevice = [rate with { Rate = 400 }],
            },
        }, "busybox dd if=/dev/zero of=/file bs=65536 count=64 oflag=direct; echo done; sleep 1000");
        var began = System.Diagnostics.Stopwatch.StartNew();
        await host.StartAsync(request);
        await host.WaitForOutputAsync("io", "done");
        Assert.True(began.Elapsed > TimeSpan.FromSeconds(2), $"4 MiB at 1 MiB/s took {began.Elapsed}");
        if (Layout.LegacyMount("blkio") is null)
        {
            Assert.Equal($"{major}:{minor} rbps=5000000 wbps=1048576 riops=300 wiops=400", Read(host, "io", "io.max"));
        }
        else
        {
            Assert.Equal($"{major}:{minor} 5000000", Read(host, "io", "blkio.throttle.read_bps_device"));
            Assert.Equal($"{major}:{minor} 1048576", Read(host, "io", "blkio.throttle.write_bps_device"));
            Assert.Equal($"{major}:{minor} 300", Read(host, "io", "blkio.throttle.read_iops_device"));
            Assert.Equal($"{major}:{minor} 400", Read(host, "io", "blkio.throttle.write_iops_device"));
        }
        var counted = (await host.Runtime.ReadUsageAsync("io", CancellationToken.None)).Devices.Single(d => (d.Major, d.Minor) == (major, minor));
        Assert.InRange(counted.WrittenBytes, 4 * Mebi, 64 * Mebi);
        Assert.InRange(counted.Writes, 64, 10_000);
    }

    [Fact]
    public async Task A_block_io_weight_is_held_where_the_kernel_has_weights()
    {
        await using var host = new RuntimeHost();
        var file = Layout.LegacyMount("blkio") is null ? Layout.UnifiedIoWeight : Layout.LegacyIoWeight is { } prefix ? prefix + "weight" : null;
        Assert.SkipWhen(file is null, "this kernel has neither the scheduler bfq nor iocost");
        await host.StartAsync(Limited(host, "weight", new OciResources { BlockIO = new OciBlockIo { Weight = 500 } }));
        Assert.Equal(file == "io.weight" ? "default 4950" : "500", Read(host, "weight", file!).Replace("default 500", "500", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Huge_pages_are_limited_by_size()
    {
        await using var host = new RuntimeHost();
        Assert.SkipUnless(Layout.Holds("hugetlb") && Directory.Exists("/sys/kernel/mm/hugepages/hugepages-2048kB"), "this host has no hugetlb controller or no huge pages");
        await host.StartAsync(Limited(host, "huge", new OciResources { HugepageLimits = [new OciHugepageLimit { PageSize = "2MB", Limit = 4 << 20 }] }));
        Assert.Equal("4194304", Read(host, "huge", Layout.LegacyMount("hugetlb") is null ? "hugetlb.2MB.max" : "hugetlb.2MB.limit_in_bytes"));
    }

    [Fact]
    public async Task Packets_are_marked_where_v1_marks_them()
    {
        await using var host = new RuntimeHost();
        var network = new OciNetwork { ClassId = 0x10001, Priorities = [new OciInterfacePriority { Name = "lo", Priority = 5 }] };
        var plan = CgroupPlan.For(Layout, "/orch-test/x", new OciResources { Network = network });
        Assert.Equal(Layout.LegacyMount("net_cls") is null, plan.Warnings.Any(w => w.Contains("net_cls", StringComparison.Ordinal)));
        Assert.Equal(Layout.LegacyMount("net_prio") is null, plan.Warnings.Any(w => w.Contains("net_prio", StringComparison.Ordinal)));
        await host.StartAsync(Limited(host, "marked", new OciResources { Network = network }));
        if (Layout.LegacyMount("net_cls") is not null)
            Assert.Equal("65537", Read(host, "marked", "net_cls.classid"));
        if (Layout.LegacyMount("net_prio") is not null)
            Assert.Contains("lo 5", Read(host, "marked", "net_prio.ifpriomap"));
    }

    [Fact]
    public async Task Realtime_runtime_is_honoured_or_refused_by_name()
    {
        await using var host = new RuntimeHost();
        var request = Limited(host, "rt", new OciResources { Cpu = new OciCpu { RealtimePeriod = 500_000, RealtimeRuntime = 5_000 } });
        if (Layout.Realtime)
        {
            await host.StartAsync(request);
            Assert.Equal(("500000", "5000"), (Read(host, "rt", "cpu.rt_period_us"), Read(host, "rt", "cpu.rt_runtime_us")));
        }
        else
        {
            var refused = await Assert.ThrowsAsync<RuntimeException>(() => host.StartAsync(request));
            Assert.Contains("eal-time", refused.Message);
        }
    }

    [Fact]
    public async Task A_device_can_be_used_as_far_as_a_rule_allows()
    {
        await using var host = new RuntimeHost();
        // /dev/kmsg: opened for writing by anybody, and nothing is written.
        const string script = "busybox mknod /dev/k c 1 11; (: > /dev/k) && echo writes; (: < /dev/k) && echo reads; (: < /dev/null) && echo null; true";
        var (_, none) = await host.RunAsync(Limited(host, "none", new OciResources { Devices = [new OciDeviceRule { Allow = false }] }, script));
        Assert.Equal(["null"], none.Where(l => !l.StartsWith("stderr", StringComparison.Ordinal)));
        Assert.Equal(2, none.Count(l => l.Contains("Operation not permitted", StringComparison.Ordinal)));
        var (_, some) = await host.RunAsync(Limited(host, "some", new OciResources
        {
            Devices = [new OciDeviceRule { Allow = false }, new OciDeviceRule { Allow = true, Type = "c", Major = 1, Minor = 11, Access = "w" }],
        }, script));
        Assert.Equal(["writes", "null"], some.Where(l => !l.StartsWith("stderr", StringComparison.Ordinal)));
        Assert.Single(some, l => l.Contains("Operation not permitted", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_paused_container_uses_no_time_until_it_is_resumed_and_can_be_deleted_as_it_stands()
    {
        await using var host = new RuntimeHost();
        await host.StartAsync(host.Shell("burn", "echo burns; while :; do :; done"));
        await host.WaitForOutputAsync("burn", "burns");
        await host.Runtime.PauseAsync("burn", CancellationToken.None);
        Assert.True((await host.Runtime.ListAsync(CancellationToken.None)).Single().Paused);
        var stood = await CpuAsync(host, "burn");
        await host.RunAsync(host.Shell("other", "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done")); // time goes by
        Assert.Equal(stood, await CpuAsync(host, "burn"));
        await host.Runtime.PauseAsync("burn", CancellationToken.None);
        await host.Runtime.ResumeAsync("burn", CancellationToken.None);
        Assert.False((await host.Runtime.ListAsync(CancellationToken.None)).Single(c => c.Id == "burn").Paused);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await CpuAsync(host, "burn") <= stood)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, deadline.Token);
        await host.Runtime.PauseAsync("burn", CancellationToken.None);
        await host.Runtime.DeleteAsync("burn", CancellationToken.None);
        Assert.DoesNotContain(await host.Runtime.ListAsync(CancellationToken.None), c => c.Id == "burn");
    }

    [Fact]
    public async Task Limits_change_while_it_runs_in_both_directions()
    {
        await using var host = new RuntimeHost();
        await host.StartAsync(Limited(host, "grow", new OciResources { Memory = new OciMemory { Limit = 64 * Mebi, Swap = 64 * Mebi }, Pids = new OciPids { Limit = 50 } }));
        var (memory, both) = Layout.LegacyMount("memory") is null ? ("memory.max", "memory.swap.max") : ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes");
        foreach (var (limit, swap) in ((long, long)[])[(256 * Mebi, 300 * Mebi), (48 * Mebi, 48 * Mebi), (128 * Mebi, 128 * Mebi)])
        {
            await host.Runtime.UpdateAsync("grow", new OciResources
            {
                Memory = new OciMemory { Limit = limit, Swap = swap }, Pids = new OciPids { Limit = limit / Mebi }, Cpu = new OciCpu { Quota = 50_000, Period = 100_000 },
            }, CancellationToken.None);
            Assert.Equal($"{limit}", Read(host, "grow", memory));
            Assert.Equal($"{limit / Mebi}", Read(host, "grow", "pids.max"));
            if (Layout.SwapAccounting || (Layout.LegacyMount("memory") is null && Layout.UnifiedSwap))
                Assert.Equal($"{(both == "memory.swap.max" ? swap - limit : swap)}", Read(host, "grow", both));
        }
        await host.Runtime.UpdateAsync("grow", new OciResources { Pids = new OciPids { Limit = -1 }, Cpu = new OciCpu { Quota = -1 } }, CancellationToken.None);
        Assert.Equal("max", Read(host, "grow", "pids.max"));
        Assert.Equal(Layout.LegacyMount("cpu") is null ? "max 100000" : "-1", Read(host, "grow", Layout.LegacyMount("cpu") is null ? "cpu.max" : "cpu.cfs_quota_us"));
    }

    [Fact]
    public async Task A_change_that_the_kernel_refuses_leaves_all_limits_as_they_were()
    {
        await using var host = new RuntimeHost();
        await host.StartAsync(Limited(host, "keep", new OciResources { Cpu = new OciCpu { Shares = 512, Mems = "0" }, Pids = new OciPids { Limit = 50 } }));
        var shares = Layout.LegacyMount("cpu") is null ? "cpu.weight" : "cpu.shares";
        var before = (Read(host, "keep", shares), Read(host, "keep", "pids.max"));
        var refused = await Assert.ThrowsAsync<RuntimeException>(() => host.Runtime.UpdateAsync(
            "keep", new OciResources { Cpu = new OciCpu { Shares = 2048, Mems = "1023" }, Pids = new OciPids { Limit = 9 } }, CancellationToken.None));
        Assert.Contains("cpuset.mems", refused.Message);
        Assert.Equal(before, (Read(host, "keep", shares), Read(host, "keep", "pids.max")));
    }

    [Fact]
    public async Task Usage_is_counted()
    {
        await using var host = new RuntimeHost();
        await host.StartAsync(Limited(host, "uses", new OciResources { Memory = new OciMemory { Limit = 64 * Mebi }, Pids = new OciPids { Limit = 20 } },
            "sleep 1000 & i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; busybox head -c 8388608 /dev/zero > /dev/shm/eight; echo done; wait"));
        await host.WaitForOutputAsync("uses", "done");
        var usage = await host.Runtime.ReadUsageAsync("uses", CancellationToken.None);
        Assert.True(usage.Cpu!.Total > 1_000_000, $"{usage.Cpu}");
        Assert.True(usage.Memory is { Limit: 64 * Mebi, Usage: > 8 * Mebi and < 64 * Mebi }, $"{usage.Memory}");
        Assert.True(usage.Memory.Stat.GetValueOrDefault("shmem") + usage.Memory.Stat.GetValueOrDefault("total_shmem") >= 8 * Mebi);
        Assert.Equal(new ProcessCount(2, 20), usage.Processes);
        Assert.Empty(usage.Interfaces); // it has a network of its own with nothing in it but the loopback
        Assert.Equal(2, (await host.Runtime.ListProcessesAsync("uses", CancellationToken.None)).Count);
    }

    /// <summary>The whole disk below a file: a partition has no throttle of its own.</summary>
    private static (long Major, long Minor) DiskOf(string path)
    {
        var device = FileOps.Status(path)!.Value.Device;
        var node = $"/sys/dev/block/{device >> 32}:{(uint)device}";
        Assert.SkipUnless(Directory.Exists(node), $"{path} lies on no block device");
        var real = new DirectoryInfo(node).ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        long[] numbers = [.. File.ReadAllText(File.Exists($"{real}/partition") ? $"{Path.GetDirectoryName(real)}/dev" : $"{real}/dev")
            .Trim().Split(':').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
        return (numbers[0], numbers[1]);
    }

    private static async Task<long> CpuAsync(RuntimeHost host, string id) => (await host.Runtime.ReadUsageAsync(id, CancellationToken.None)).Cpu!.Total;

    /// <summary>The text of the group's file, in whichever hierarchy has it.</summary>
    private static string Read(RuntimeHost host, string id, string file) =>
        host.CgroupDirectories().Select(d => $"{d}/{id}/{file}").Where(File.Exists).Select(f => File.ReadAllText(f).Trim()).FirstOrDefault() ?? $"no file {file}";

    private static LaunchRequest Limited(RuntimeHost host, string id, OciResources resources, string script = "sleep 1000")
    {
        var request = host.Shell(id, script);
        return request with { Spec = request.Spec with { Linux = request.Spec.Linux with { Resources = resources } } };
    }
}
