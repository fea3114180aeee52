using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Unit.Worker.Containers.Plan;

public sealed class SecurityPlanTests
{
    private static readonly string Id = new('c', 64);
    private static readonly UserRemap Remap = new() { Uids = [Range(100000)], Gids = [Range(200000)] };

    [Theory]
    [InlineData("apparmor=mine", "AppArmor profile 'mine' cannot be applied")]
    [InlineData("label=level:s0", "SELinux label 'level:s0' cannot be applied")]
    [InlineData("writable-cgroups=true", "writable-cgroups does not work")]
    [InlineData("seccomp={", "decoding seccomp profile failed")]
    [InlineData("""seccomp={"syscalls":[]}""", "decoding seccomp profile failed")]
    [InlineData("""seccomp={"defaultAction":"SCMP_ACT_NOTIFY"}""", "SCMP_ACT_NOTIFY is not supported")]
    [InlineData("""seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"op":"SCMP_CMP_LIKE"}]}]}""", "SCMP_CMP_LIKE is not supported")]
    [InlineData("""seccomp={"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}""", "use one of them")]
    [InlineData("colour=red", "invalid --security-opt: \"colour=red\"")]
    public void What_cannot_be_applied_is_refused_with_its_reason(string option, string reason)
    {
        var problems = new List<Problem>();
        SecurityPlan.Of(new HostConfig { SecurityOpt = [option] }, problems);
        Assert.Contains(reason, Assert.Single(problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_profile_counts_its_conditions_and_reads_the_old_words()
    {
        const string profile = """
            {"DefaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],"syscalls":[
              {"name":"mkdir","action":"SCMP_ACT_ERRNO","errnoRet":5},
              {"names":["chmod"],"action":"SCMP_ACT_ERRNO","includes":{"caps":["CAP_SYS_ADMIN"]}},
              {"names":["chown"],"action":"SCMP_ACT_ERRNO","excludes":{"minKernel":"4.8"}},
              {"names":["kill"],"action":"SCMP_ACT_ERRNO","includes":{"arches":["arm64"]}}]}
            """;
        var problems = new List<Problem>();
        var plan = SecurityPlan.Of(new HostConfig { SecurityOpt = ["seccomp=" + profile] }, problems);
        Assert.Empty(problems);
        var filter = plan.FilterFor(["CAP_CHOWN"], FakeHost.Facts with { Kernel = new Version(6, 1) })!;
        Assert.Equal("mkdir", Assert.Single(Assert.Single(filter.Syscalls).Names));
        Assert.Equal(5u, filter.Syscalls[0].ErrnoRet);
        Assert.Equal(3, plan.FilterFor(["CAP_SYS_ADMIN"], FakeHost.Facts with { Kernel = new Version(4, 1) })!.Syscalls.Length);
    }

    [Fact]
    public void A_privileged_container_has_everything_and_hides_nothing()
    {
        var fuse = new GrantedDevice(new OciDevice { Type = "c", Path = "/dev/fuse", Major = 10, Minor = 229 }, "rwm");
        var spec = Spec(new HostConfig { Privileged = true }, devices: [fuse]);
        Assert.Equal(41, spec.Process.Capabilities!.Effective.Length);
        Assert.Empty(spec.Linux.MaskedPaths);
        Assert.Empty(spec.Linux.ReadonlyPaths);
        Assert.Null(spec.Linux.Seccomp);
        Assert.Equal("/dev/fuse", spec.Linux.Devices[^1].Path);
        var rule = Assert.Single(spec.Linux.Resources.Devices);
        Assert.Equal((true, null, null), (rule.Allow, rule.Type, rule.Major));
        Assert.DoesNotContain(spec.Mounts.Where(m => m.Type is "sysfs" or "cgroup"), m => m.Options.Contains("ro"));
    }

    [Fact]
    public void A_device_comes_with_the_rule_that_lets_it_be_used()
    {
        var loop = new GrantedDevice(new OciDevice { Type = "b", Path = "/dev/mine", Major = 7, Minor = 1 }, "r");
        var spec = Spec(new HostConfig { DeviceCgroupRules = ["c 42:* rw"] }, devices: [loop]);
        Assert.Contains(spec.Linux.Devices, d => d.Path == "/dev/mine");
        Assert.Equal(("b", 7L, 1L, "r"), (spec.Linux.Resources.Devices[^2].Type, spec.Linux.Resources.Devices[^2].Major, spec.Linux.Resources.Devices[^2].Minor, spec.Linux.Resources.Devices[^2].Access));
        Assert.Equal(("c", 42L, null), (spec.Linux.Resources.Devices[^1].Type, spec.Linux.Resources.Devices[^1].Major, spec.Linux.Resources.Devices[^1].Minor));
    }

    [Fact]
    public void Hidden_paths_are_the_requests_own_when_it_names_them()
    {
        var spec = Spec(new HostConfig { MaskedPaths = ["/proc/keys"], ReadonlyPaths = [] });
        Assert.Equal(["/proc/keys"], spec.Linux.MaskedPaths);
        Assert.Empty(spec.Linux.ReadonlyPaths);
        Assert.Empty(Spec(new HostConfig { SecurityOpt = ["systempaths=unconfined"] }).Linux.MaskedPaths);
    }

    [Fact]
    public void Shared_namespaces_are_not_made()
    {
        var spec = Spec(new HostConfig { PidMode = "host", IpcMode = "host", UtsMode = "host", CgroupnsMode = "host" });
        Assert.Equal(["mount", "network"], spec.Linux.Namespaces.Select(n => n.Type));
        Assert.Null(spec.Hostname);
        Assert.Equal("/dev/shm", spec.Mounts.Single(m => m.Destination == "/dev/shm").Source);
        Assert.DoesNotContain(Spec(new HostConfig { IpcMode = "none" }).Mounts, m => m.Destination == "/dev/shm");
    }

    [Theory]
    [InlineData("Privileged", "privileged mode is incompatible with user namespaces")]
    [InlineData("PidMode", "cannot share the host PID namespace when user namespaces are enabled")]
    [InlineData("NetworkMode", "cannot share the host's network namespace when user namespaces are enabled")]
    public void A_container_with_ids_of_its_own_shares_nothing_with_the_host(string field, string reason)
    {
        var host = field switch
        {
            "Privileged" => new HostConfig { Privileged = true },
            "PidMode" => new HostConfig { PidMode = "host" },
            _ => new HostConfig { NetworkMode = "host" },
        };
        Assert.Contains(reason, Assert.Single(Problems(host, FakeHost.Facts with { Remap = Remap })).Message, StringComparison.Ordinal);
        Assert.Empty(Problems(host with { UsernsMode = "host" }, FakeHost.Facts with { Remap = Remap }));
    }

    [Theory]
    [InlineData("pid", "nobody", "invalid PID mode: nobody")]
    [InlineData("ipc", "container:", "invalid IPC mode: container:")]
    [InlineData("uts", "private", "invalid UTS mode: private")]
    [InlineData("cgroup", "shareable", "invalid cgroup namespace mode: shareable")]
    [InlineData("user", "auto", "invalid user namespace mode: auto")]
    [InlineData("user", "remap", "this daemon has no ids for one")]
    public void Unknown_modes_are_refused(string kind, string mode, string reason)
    {
        var host = kind switch
        {
            "pid" => new HostConfig { PidMode = mode },
            "ipc" => new HostConfig { IpcMode = mode },
            "uts" => new HostConfig { UtsMode = mode },
            "cgroup" => new HostConfig { CgroupnsMode = mode },
            _ => new HostConfig { UsernsMode = mode },
        };
        Assert.Contains(reason, Assert.Single(Problems(host, FakeHost.Facts)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("default", "100000", "")]
    [InlineData("dockremap:staff", "100000", "")]
    [InlineData("1001", "300000", "")]
    [InlineData("nobody", null, "/etc/subuid has no ids for 'nobody'")]
    [InlineData("ghost", null, "user 'ghost' is not in /etc/passwd")]
    [InlineData("small", null, "fewer than 65536 ids")]
    [InlineData("evil", null, "the host's id 0")]
    [InlineData("a:b:c", null, "is not default, USER[:GROUP] or UID[:GID]")]
    public void The_ids_to_remap_to_are_found_or_refused(string flag, string? first, string reason)
    {
        const string ids = "dockremap:100000:65536\nstaff:200000:65536\n1001:300000:32768\n1001:400000:32768\nsmall:5000:10\nevil:0:65536\nbroken\n";
        const string passwd = "root:x:0:0::/:/bin/sh\ndockremap:x:999:999::/:/bin/false\nbuild:x:1001:1001::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nsmall:x:5:5::/:\nevil:x:6:6::/:\n";
        var (remap, problem) = RemapPlan.Of(flag, ids, ids, passwd, "staff:x:50:\n");
        Assert.Equal(first, remap?.Uids[0].HostId.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Contains(reason, problem ?? "", StringComparison.Ordinal);
        if (flag == "1001")
            Assert.Equal((32768u, 400000u), (remap!.Uids[1].ContainerId, remap.Uids[1].HostId));
        if (flag.EndsWith(":staff", StringComparison.Ordinal))
            Assert.Equal(200000u, remap!.Gids[0].HostId);
    }

    [Fact]
    public void Volumes_and_the_engines_files_keep_sane_owners_and_the_users_directories_do_not()
    {
        var spec = SpecPlan.Of(
            Id, new ContainerConfig { Cmd = ["/app"] }, new HostConfig { Binds = ["/host:/bound"] },
            new StartFacts { NetnsPath = "/ns", User = new OciUser(), Home = "/", FilesDirectory = "/data/c", UserPath = "/u", Remap = Remap }, FakeHost.Facts);
        Assert.Contains("idmap", spec.Mounts.Single(m => m.Destination == "/etc/hosts").Options);
        Assert.DoesNotContain("idmap", spec.Mounts.Single(m => m.Destination == "/bound").Options);
        Assert.Equal("/u", spec.Linux.Namespaces.Single(n => n.Type == "user").Path);
        Assert.DoesNotContain("net.ipv4.ping_group_range", spec.Linux.Sysctl.Keys);
    }

    private static OciIdMapping Range(uint first) => new() { HostId = first, Size = 65536 };

    private static List<Problem> Problems(HostConfig host, HostFacts facts)
    {
        var problems = new List<Problem>();
        NamespaceModes.Check(new ContainerConfig(), host, facts, problems);
        return problems;
    }

    private static OciSpec Spec(HostConfig host, params GrantedDevice[] devices) => SpecPlan.Of(
        Id, new ContainerConfig { Cmd = ["/app"] }, host,
        new StartFacts { NetnsPath = "/ns", User = new OciUser(), Home = "/root", FilesDirectory = "/data/c", Devices = [.. devices] }, FakeHost.Facts);
}
