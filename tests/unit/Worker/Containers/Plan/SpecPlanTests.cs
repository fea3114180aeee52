using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Unit.Worker.Containers.Plan;

public sealed class SpecPlanTests
{
    private static readonly string Id = new('c', 64);

    private static OciSpec Spec(HostConfig? host = null, ContainerConfig? config = null, uint uid = 0, string? netns = "/ns") => SpecPlan.Of(
        Id, config ?? new ContainerConfig { Cmd = ["/app"] }, host ?? new HostConfig(),
        new StartFacts { NetnsPath = netns, User = new OciUser { Uid = uid }, Home = "/root", FilesDirectory = "/data/c" }, FakeHost.Facts);

    [Fact]
    public void A_plain_container_has_dockers_defaults()
    {
        var spec = Spec();
        Assert.Equal(14, spec.Process.Capabilities!.Bounding.Length);
        Assert.Equal(spec.Process.Capabilities.Bounding, spec.Process.Capabilities.Effective);
        Assert.False(spec.Process.NoNewPrivileges);
        Assert.Equal(new string('c', 12), spec.Hostname);
        Assert.Equal("/orch-test/" + Id, spec.Linux.CgroupsPath);
        Assert.Contains("/proc/kcore", spec.Linux.MaskedPaths);
        Assert.Contains("/proc/sys", spec.Linux.ReadonlyPaths);
        Assert.Equal("0", spec.Linux.Sysctl["net.ipv4.ip_unprivileged_port_start"]);
        Assert.Equal(["/etc/resolv.conf", "/etc/hostname", "/etc/hosts"], spec.Mounts.TakeLast(3).Select(m => m.Destination));
        Assert.Null(spec.Linux.Resources.Memory);
        Assert.Null(spec.Linux.Resources.Pids);
    }

    [Fact]
    public void A_user_who_is_not_root_holds_no_capability_but_may_gain_them_by_files()
    {
        var capabilities = Spec(uid: 1000).Process.Capabilities!;
        Assert.Empty(capabilities.Effective);
        Assert.Empty(capabilities.Permitted);
        Assert.Equal(14, capabilities.Bounding.Length);
    }

    [Fact]
    public void The_hosts_network_means_no_namespace_and_no_network_settings()
    {
        var spec = Spec(new HostConfig { NetworkMode = "host" }, netns: null);
        Assert.DoesNotContain(spec.Linux.Namespaces, n => n.Type == "network");
        Assert.Empty(spec.Linux.Sysctl);
        Assert.Equal("box", spec.Hostname);
    }

    [Fact]
    public void Limits_become_the_kernels_numbers()
    {
        var resources = Spec(new HostConfig { NanoCpus = 1_500_000_000, Memory = 64 << 20, PidsLimit = 20, CpuShares = 512, CpusetCpus = "0-1" }).Linux.Resources;
        Assert.Equal((150_000L, 100_000UL, 512UL, "0-1"), (resources.Cpu!.Quota, resources.Cpu.Period, resources.Cpu.Shares, resources.Cpu.Cpus));
        Assert.Equal((64L << 20, 128L << 20), (resources.Memory!.Limit, resources.Memory.Swap));
        Assert.Equal(20, resources.Pids!.Limit);
    }

    [Theory]
    [InlineData(0, 128L << 20)]
    [InlineData(-1, -1L)]
    [InlineData(100 << 20, 100L << 20)]
    public void Swap_is_twice_the_memory_unless_it_is_set(long swap, long expected) =>
        Assert.Equal(expected, Spec(new HostConfig { Memory = 64 << 20, MemorySwap = swap }).Linux.Resources.Memory!.Swap);

    [Fact]
    public void A_users_mount_takes_the_place_of_the_engines()
    {
        var spec = Spec(new HostConfig { Binds = ["/my/hosts:/etc/hosts:ro"], Tmpfs = new Dictionary<string, string> { ["/dev/shm"] = "size=1m" } });
        Assert.Equal("/my/hosts", spec.Mounts.Single(m => m.Destination == "/etc/hosts").Source);
        Assert.Contains("size=1m", spec.Mounts.Single(m => m.Destination == "/dev/shm").Options);
    }

    [Fact]
    public void Security_options_change_the_profile()
    {
        Assert.True(Spec(new HostConfig { SecurityOpt = ["no-new-privileges"] }).Process.NoNewPrivileges);
        Assert.True(Spec(new HostConfig { ReadonlyRootfs = true }).Root!.Readonly);
    }
}
