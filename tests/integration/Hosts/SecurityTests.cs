using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;

namespace Orchestrator.Tests.Integration.Hosts;

/// <summary>What containers may do to their host and to each other.</summary>
public sealed class SecurityTests
{
    [Fact]
    public async Task A_privileged_container_mounts_sees_devices_and_writes_the_kernels_files()
    {
        await using var world = await HostWorld.StartAsync();
        var id = await world.RunAsync(HostWorld.Script(
            "mount -t tmpfs x /tmp && echo mounted; test -c /dev/kmsg && echo device; grep Seccomp: /proc/self/status; ls /sys/firmware >/dev/null && echo unmasked; "
            + "grep ' /sys sysfs\\| /sys ' /proc/mounts | head -1 | grep -c 'rw,'; mkdir /sys/fs/cgroup/pids/below 2>/dev/null || mkdir /sys/fs/cgroup/below; echo $?",
            new HostConfig { Privileged = true }));
        Assert.Equal(0, (await world.EndAsync(id)).ExitCode);
        Assert.Equal("mounted\ndevice\nSeccomp:\t0\nunmasked\n1\n0\n", await world.OutputAsync(id));
        var plain = await world.RunAsync(HostWorld.Script("mount -t tmpfs x /tmp || echo refused; test -e /dev/kmsg || echo no device; grep Seccomp: /proc/self/status"));
        await world.EndAsync(plain);
        Assert.Equal("refused\nno device\nSeccomp:\t2\n", await world.OutputAsync(plain));
    }

    [Fact]
    public async Task A_device_is_there_under_its_name_and_for_what_it_was_given()
    {
        await using var world = await HostWorld.StartAsync();
        var zero = new HostConfig { Devices = [new DeviceMapping { PathOnHost = "/dev/zero", PathInContainer = "/dev/other/mine", CgroupPermissions = "rwm" }] };
        var id = await world.RunAsync(HostWorld.Script("head -c 4 /dev/other/mine | wc -c; test -e /dev/kmsg || echo no other", zero));
        await world.EndAsync(id);
        Assert.Equal("4\nno other\n", await world.OutputAsync(id));
        var kmsg = new HostConfig { Devices = [new DeviceMapping { PathOnHost = "/dev/kmsg", PathInContainer = "/dev/log0", CgroupPermissions = "r" }], CapAdd = ["SYSLOG"] };
        id = await world.RunAsync(HostWorld.Script("test -c /dev/log0 && echo node; (exec 3</dev/log0) && echo readable; (exec 3>/dev/log0) 2>/dev/null || echo not writable", kmsg));
        await world.EndAsync(id);
        Assert.Equal("node\nreadable\nnot writable\n", await world.OutputAsync(id));
        id = await world.RunAsync(HostWorld.Script("mknod /x c 1 11 && (exec 3</x) 2>/dev/null || echo closed"));
        await world.EndAsync(id);
        Assert.Equal("closed\n", await world.OutputAsync(id));
        id = await world.RunAsync(HostWorld.Script("mknod /x c 1 11 && (exec 3</x) && echo open", new HostConfig { DeviceCgroupRules = ["c 1:11 r"], CapAdd = ["SYSLOG"] }));
        await world.EndAsync(id);
        Assert.Equal("open\n", await world.OutputAsync(id));
        var missing = await world.Containers.CreateAsync(
            HostWorld.Script("true", new HostConfig { Devices = [new DeviceMapping { PathOnHost = "/dev/none-such", CgroupPermissions = "rwm" }] }), null, HostWorld.Soon);
        var failure = await Assert.ThrowsAsync<ContainerStartException>(() => world.Containers.StartAsync(missing.Id, HostWorld.Soon));
        Assert.Contains("\"/dev/none-such\": no such file or directory", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_seccomp_profile_of_ones_own_denies_its_call_and_unconfined_denies_none()
    {
        await using var world = await HostWorld.StartAsync();
        const string profile = """{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}""";
        var id = await world.RunAsync(HostWorld.Script("mkdir /x; touch /y && echo rest", new HostConfig { SecurityOpt = ["seccomp=" + profile] }));
        await world.EndAsync(id);
        Assert.Equal("rest\n", await world.OutputAsync(id));
        Assert.Contains("No space left on device", await world.OutputAsync(id, "stderr"), StringComparison.Ordinal);
        id = await world.RunAsync(HostWorld.Script("grep -E 'Seccomp:|NoNewPrivs' /proc/self/status", new HostConfig { SecurityOpt = ["seccomp=unconfined", "no-new-privileges"] }));
        await world.EndAsync(id);
        Assert.Equal("NoNewPrivs:\t1\nSeccomp:\t0\n", await world.OutputAsync(id));
    }

    [Fact]
    public async Task Namespaces_are_shared_as_asked()
    {
        await using var world = await HostWorld.StartAsync();
        var first = await world.RunAsync(HostWorld.Script("echo secret > /dev/shm/note; echo ready; sleep 1000", new HostConfig { IpcMode = "shareable" }));
        await world.UntilOutputAsync(first, "ready");
        var joining = new HostConfig { PidMode = $"container:{first}", IpcMode = $"container:{first}", NetworkMode = $"container:{first}" };
        var second = await world.RunAsync(HostWorld.Script("ps -o args | grep -c '^sleep 1000'; cat /dev/shm/note; hostname -i; hostname; cat /etc/hostname", joining));
        Assert.Equal(0, (await world.EndAsync(second)).ExitCode);
        var address = world.Containers.Inspect(first).NetworkSettings.Networks.Values.Single().IpAddress;
        var lines = (await world.OutputAsync(second)).Split('\n');
        Assert.Equal(["1", "secret", first[..12]], [lines[0], lines[1], lines[^2]]);
        Assert.Equal(address, (await LinesAsync(world, "ip -4 -o addr show eth0 | sed 's/.*inet //; s,/.*,,'", joining))[0]);

        var host = await LinesAsync(world, "readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc; readlink /proc/self/ns/uts; readlink /proc/self/ns/cgroup; hostname",
            new HostConfig { PidMode = "host", IpcMode = "host", UtsMode = "host", CgroupnsMode = "host" });
        Assert.Equal(
            [.. ((string[])["pid", "ipc", "uts", "cgroup"]).Select(n => new FileInfo($"/proc/self/ns/{n}").LinkTarget!), Environment.MachineName], host.Take(5));

        var alone = await world.RunAsync(HostWorld.Script("sleep 1000"));
        await RefusedAsync(world, new HostConfig { IpcMode = $"container:{alone}" }, "cannot join IPC of a non-shareable container");
        await world.Containers.KillAsync(alone, null, HostWorld.Soon);
        await RefusedAsync(world, new HostConfig { NetworkMode = $"container:{alone}" }, "cannot join network of a non running container");
        var nobody = await Assert.ThrowsAsync<InvalidContainerException>(() => world.Containers.CreateAsync(HostWorld.Script("true", new HostConfig { PidMode = "container:nobody" }), null, HostWorld.Soon));
        Assert.Contains("No such container: nobody", nobody.Message, StringComparison.Ordinal);
        await world.Containers.RemoveAsync(first, force: true, volumes: false, HostWorld.Soon);
        Assert.DoesNotContain(await File.ReadAllLinesAsync("/proc/self/mountinfo"), l => l.Contains($"{first}/shm", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_container_leaves_in_the_hosts_pid_namespace_ends_with_it()
    {
        await using var world = await HostWorld.StartAsync();
        var id = await world.RunAsync(HostWorld.Script("sleep 4242 & echo $!; exit 0", new HostConfig { PidMode = "host" }));
        await world.EndAsync(id);
        var pid = int.Parse((await world.OutputAsync(id)).Trim(), System.Globalization.CultureInfo.InvariantCulture);
        await Fixtures.Shell.EventuallyAsync($"the end of process {pid}", () => Task.FromResult(HostWorld.Lives(pid)), lives => !lives, TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Ulimits_sysctls_the_oom_score_and_every_exposed_port_are_set()
    {
        await using var world = await HostWorld.StartAsync(o => o with { DefaultUlimits = [new Ulimit { Name = "nofile", Soft = 300, Hard = 400 }, new Ulimit { Name = "core", Soft = 0, Hard = 0 }] });
        var host = new HostConfig
        {
            Ulimits = [new Ulimit { Name = "nofile", Soft = 128, Hard = 256 }],
            Sysctls = new Dictionary<string, string> { ["net.ipv4.ip_forward"] = "0", ["kernel.msgmax"] = "7777" },
            OomScoreAdj = 321,
            PublishAllPorts = true,
        };
        var request = HostWorld.Script("ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/sys/kernel/msgmax /proc/self/oom_score_adj; echo ready; sleep 1000", host) with
        {
            ExposedPorts = new Dictionary<string, EmptyObject> { ["80/tcp"] = new() },
        };
        var id = await world.RunAsync(request);
        await world.UntilOutputAsync(id, "ready");
        Assert.Equal("128\n256\n0\n7777\n321\nready\n", await world.OutputAsync(id));
        var published = world.Containers.Inspect(id).NetworkSettings.Ports["80/tcp"]!;
        Assert.NotEqual("0", Assert.Single(published).HostPort);
        Assert.NotEmpty(published[0].HostPort!);
    }

    [Fact]
    public async Task An_init_reaps_forwards_and_passes_the_code_on()
    {
        await using var world = await HostWorld.StartAsync();
        var id = await world.RunAsync(HostWorld.Script(
            "trap 'echo stopped; exit 9' TERM; (sleep 0.05 &); sleep 0.5; echo $$; ps -o stat,args | grep -c '^Z'; echo ready; while :; do sleep 0.05; done", new HostConfig { Init = true }));
        await world.UntilOutputAsync(id, "ready");
        await world.Containers.StopAsync(id, TimeSpan.FromSeconds(20), null, HostWorld.Soon);
        Assert.Equal("2\n0\nready\nstopped\n", await world.OutputAsync(id));
        Assert.Equal(9, world.Containers.Inspect(id).State.ExitCode);
    }

    private static async Task<string[]> LinesAsync(HostWorld world, string script, HostConfig host)
    {
        var id = await world.RunAsync(HostWorld.Script(script, host));
        await world.EndAsync(id);
        return (await world.OutputAsync(id)).Split('\n');
    }

    private static async Task RefusedAsync(HostWorld world, HostConfig host, string reason)
    {
        var made = await world.Containers.CreateAsync(HostWorld.Script("true", host), null, HostWorld.Soon);
        var failure = await Assert.ThrowsAsync<ContainerStartException>(() => world.Containers.StartAsync(made.Id, HostWorld.Soon));
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }
}
