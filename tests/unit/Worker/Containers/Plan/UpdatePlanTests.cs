using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Unit.Worker.Containers.Plan;

public sealed class UpdatePlanTests
{
    private const long Mebi = 1 << 20;

    private static readonly HostConfig Has = new() { Memory = 64 * Mebi, MemorySwap = 128 * Mebi, CpuQuota = 50_000, CpuPeriod = 100_000, PidsLimit = 10 };

    [Theory]
    [InlineData("memory above swap", "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time")]
    [InlineData("swap below memory", "Minimum memoryswap limit should be larger than memory limit, see usage")]
    [InlineData("little memory", "Minimum memory limit allowed is 6MB")]
    [InlineData("cpus over a quota", "Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set")]
    [InlineData("restart of what removes itself", "Restart policy cannot be updated because AutoRemove is enabled for the container")]
    [InlineData("policy", "invalid restart policy 'sometimes'")]
    [InlineData("weight", "Range of blkio weight is from 10 to 1000")]
    public void What_cannot_be_is_refused_in_dockers_words(string what, string expected)
    {
        var (host, request) = what switch
        {
            "memory above swap" => (Has, new ContainerUpdateRequest { Memory = 200 * Mebi }),
            "swap below memory" => (Has, new ContainerUpdateRequest { MemorySwap = 32 * Mebi }),
            "little memory" => (Has, new ContainerUpdateRequest { Memory = 1 * Mebi }),
            "cpus over a quota" => (Has, new ContainerUpdateRequest { NanoCpus = 1_000_000_000 }),
            "restart of what removes itself" => (Has with { AutoRemove = true }, new ContainerUpdateRequest { RestartPolicy = new ContainerRestartPolicy { Name = "always" } }),
            "policy" => (Has, new ContainerUpdateRequest { RestartPolicy = new ContainerRestartPolicy { Name = "sometimes" } }),
            _ => (Has, new ContainerUpdateRequest { BlkioWeight = 5 }),
        };
        var problems = new List<Problem>();
        UpdatePlan.Of(host, request, FakeHost.Facts, problems, []);
        Assert.Contains(expected, problems.Select(p => p.Message));
    }

    [Fact]
    public void What_belongs_together_changes_together_and_the_rest_is_left_alone()
    {
        var plan = Plan(new ContainerUpdateRequest { Memory = 96 * Mebi, CpuQuota = 25_000 });
        Assert.Equal(Has with { Memory = 96 * Mebi, CpuQuota = 25_000 }, plan.Next);
        Assert.Equal(new OciMemory { Limit = 96 * Mebi, Swap = 128 * Mebi }, plan.Change!.Memory);
        Assert.Equal(new OciCpu { Quota = 25_000, Period = 100_000 }, plan.Change.Cpu);
        Assert.Null(plan.Change.Pids);
        Assert.Empty(plan.Change.Devices);
    }

    [Fact]
    public void A_first_memory_limit_takes_as_much_swap_again()
    {
        var plan = UpdatePlan.Of(new HostConfig(), new ContainerUpdateRequest { Memory = 64 * Mebi }, FakeHost.Facts, [], []);
        Assert.Equal((64 * Mebi, 128 * Mebi), (plan.Next.Memory, plan.Next.MemorySwap));
        Assert.Equal(128 * Mebi, plan.Change!.Memory!.Swap);
    }

    [Fact]
    public void A_restart_policy_alone_asks_nothing_of_the_kernel()
    {
        var plan = Plan(new ContainerUpdateRequest { RestartPolicy = new ContainerRestartPolicy { Name = "on-failure", MaximumRetryCount = 3 } });
        Assert.Null(plan.Change);
        Assert.Equal(("on-failure", 3), (plan.Next.RestartPolicy!.Name, plan.Next.RestartPolicy.MaximumRetryCount));
        Assert.Null(Plan(new ContainerUpdateRequest { RestartPolicy = new ContainerRestartPolicy { Name = "" } }).Next.RestartPolicy);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void No_limit_of_processes_is_a_change_too(long pids) =>
        Assert.Equal(-1, Plan(new ContainerUpdateRequest { PidsLimit = pids }).Change!.Pids!.Limit);

    [Fact]
    public void What_the_host_cannot_hold_is_left_out_and_said()
    {
        var warnings = new List<string>();
        var nothing = new LimitFacts { Memory = false, Swap = false, Swappiness = false, OomKillDisable = false, Cpu = false, CpuSet = false, Pids = false, IoWeight = false, IoThrottle = false };
        var left = LimitPlan.Adapt(
            new HostConfig
            {
                Memory = 64 * Mebi, MemorySwappiness = 5, OomKillDisable = true, CpuShares = 5, CpuQuota = 5000, CpusetCpus = "0", PidsLimit = 5, BlkioWeight = 100,
                BlkioDeviceReadBps = [new ThrottleDevice { Path = "/dev/vda", Rate = 1 }],
            },
            nothing, warnings);
        Assert.Equal((0, null, null, 0, 0, null, null, 0, 0), (left.Memory, left.MemorySwappiness, left.OomKillDisable, left.CpuShares, left.CpuQuota, left.CpusetCpus, left.PidsLimit, left.BlkioWeight, left.BlkioDeviceReadBps.Count));
        Assert.Equal(9, warnings.Count(w => w.StartsWith("Your kernel does not support", StringComparison.Ordinal)));
        Assert.Contains("WARNING: No swap limit support", nothing.Warnings());
        Assert.Empty(LimitFacts.Everything.Warnings());
    }

    [Theory]
    [InlineData(null, "/top/orch-1/x")]
    [InlineData("/batch/nightly", "/batch/nightly/orch-1/x")]
    [InlineData("batch/", "/batch/orch-1/x")]
    public void A_parent_of_its_own_still_holds_the_instances_group(string? parent, string expected) =>
        Assert.Equal(expected, CgroupParentPlan.Of("/top/orch-1", parent, "x"));

    [Theory]
    [InlineData("/a/../b")]
    [InlineData("/")]
    [InlineData("a//b")]
    [InlineData("user.slice")]
    public void A_parent_that_cannot_be_is_refused(string parent)
    {
        var problems = new List<Problem>();
        CgroupParentPlan.Check(parent, problems);
        Assert.Equal("HostConfig.CgroupParent", Assert.Single(problems).Where);
    }

    private static UpdatePlan Plan(ContainerUpdateRequest request)
    {
        var problems = new List<Problem>();
        var plan = UpdatePlan.Of(Has, request, FakeHost.Facts, problems, []);
        Assert.Empty(problems);
        return plan;
    }
}
