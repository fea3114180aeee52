using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Integration.Hosts;

/// <summary>A daemon with <c>--userns-remap</c>.</summary>
public sealed class RemapTests
{
    private const uint First = 493216;

    private static readonly UserRemap Remap = new()
    {
        Uids = [new OciIdMapping { HostId = First, Size = 65536 }],
        Gids = [new OciIdMapping { HostId = First, Size = 65536 }],
    };

    [Fact]
    public async Task A_container_has_ids_of_its_own_a_network_and_the_images_owners()
    {
        await using var world = await HostWorld.StartAsync(o => o with { Remap = Remap });
        var id = await world.RunAsync(HostWorld.Script(
            "cat /proc/self/uid_map; stat -c %u /bin/busybox /etc/hosts; touch /mine; echo x >> /etc/hosts && echo own hosts; cat /sys/class/net/eth0/mtu; "
            + "wc -l < /proc/net/route; mount -t tmpfs x /tmp 2>/dev/null || echo no mount; echo ready; sleep 1000",
            new HostConfig { Memory = 64 << 20, Ulimits = [new Ulimit { Name = "nofile", Soft = 100, Hard = 200 }] }));
        await world.UntilOutputAsync(id, "ready");
        var lines = (await world.OutputAsync(id)).Split('\n');
        Assert.Equal([$"0 {First} 65536", "0", "0", "own hosts"], lines.Take(4).Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
        Assert.Equal(["no mount", "ready"], lines[^3..^1]);
        Assert.NotEqual("1", lines[5]); // more than the header: a default route
        var pid = world.Containers.Inspect(id).State.Pid;
        Assert.Contains($"Uid:\t{First}\t{First}", await File.ReadAllTextAsync($"/proc/{pid}/status"), StringComparison.Ordinal);
        Assert.Equal(First, FileOps.Status($"{world.Root}/data/containers/{id}/upper/mine")!.Value.Uid);

        // A daemon that comes anew takes it over, and one that remaps no more keeps what it has.
        await world.StopDaemonAsync();
        world.Configure = o => o;
        await world.StartDaemonAsync();
        Assert.Equal(pid, world.Containers.Inspect(id).State.Pid);
        await world.Containers.RestartAsync(id, TimeSpan.Zero, null, HostWorld.Soon);
        await world.UntilAsync(id, "a new process", i => i.State.Running && i.State.Pid != pid);
        Assert.Contains($"Uid:\t{First}\t", await File.ReadAllTextAsync($"/proc/{world.Containers.Inspect(id).State.Pid}/status"), StringComparison.Ordinal);
        await world.Containers.RemoveAsync(id, force: true, volumes: false, HostWorld.Soon);
    }

    [Fact]
    public async Task A_container_may_keep_the_hosts_ids_and_one_that_must_not_is_refused_without_any()
    {
        await using var world = await HostWorld.StartAsync(o => o with { Remap = Remap });
        var id = await world.RunAsync(HostWorld.Script("cat /proc/self/uid_map; mount -t tmpfs x /tmp && echo mounted", new HostConfig { UsernsMode = "host", Privileged = true }));
        Assert.Equal(0, (await world.EndAsync(id)).ExitCode);
        Assert.Equal(["0 0 4294967295", "mounted", ""], (await world.OutputAsync(id)).Split('\n').Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
        var refused = await Assert.ThrowsAsync<InvalidContainerException>(() => world.Containers.CreateAsync(
            HostWorld.Script("true", new HostConfig { PidMode = "host", Privileged = true, NetworkMode = "host" }), null, HostWorld.Soon));
        Assert.Equal(3, refused.Problems.Count);
    }

    [Fact]
    public async Task A_device_a_named_user_a_bind_and_a_neighbours_namespaces_work_in_it()
    {
        await using var world = await HostWorld.StartAsync(o => o with { Remap = Remap });
        var shared = Directory.CreateDirectory($"{world.Root}/shared").FullName;
        await File.WriteAllTextAsync($"{shared}/hosts", "host's\n");
        var config = new HostConfig { Devices = [new DeviceMapping { PathOnHost = "/dev/zero", PathInContainer = "/dev/deep/zero", CgroupPermissions = "rwm" }], Binds = [$"{shared}:/shared"], IpcMode = "shareable" };
        var id = await world.RunAsync(HostWorld.Script(
            "head -c 3 /dev/deep/zero | wc -c; id -un; stat -c %u /shared/hosts; touch /shared/x 2>/dev/null || echo closed; echo hi > /dev/shm/note; echo ready; sleep 1000", config) with { User = "www" });
        await world.UntilOutputAsync(id, "ready");
        Assert.Equal("3\nwww\n65534\nclosed\nready\n", await world.OutputAsync(id));
        var second = await world.RunAsync(HostWorld.Script("cat /dev/shm/note; ps -o args | grep -c '^sleep 1000'", new HostConfig { PidMode = $"container:{id}", IpcMode = $"container:{id}", NetworkMode = $"container:{id}" }));
        Assert.Equal(0, (await world.EndAsync(second)).ExitCode);
        Assert.Equal("hi\n1\n", await world.OutputAsync(second));
        var foreign = await world.Containers.CreateAsync(HostWorld.Script("true", new HostConfig { UsernsMode = "host", NetworkMode = $"container:{id}" }), null, HostWorld.Soon);
        var failure = await Assert.ThrowsAsync<ContainerStartException>(() => world.Containers.StartAsync(foreign.Id, HostWorld.Soon));
        Assert.Contains("the two have different user namespaces", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_volume_has_the_containers_owners_and_other_containers_read_it()
    {
        await using var world = await HostWorld.StartAsync(o => o with { Remap = Remap });
        var id = await world.RunAsync(HostWorld.Script("echo kept > /data/note && chown 33 /data/note && stat -c %u /data /data/note", new HostConfig { Binds = ["box:/data"] }));
        Assert.Equal(0, (await world.EndAsync(id)).ExitCode);
        Assert.Equal("0\n33\n", await world.OutputAsync(id));
        var plain = await world.RunAsync(HostWorld.Script("cat /data/note; stat -c %u /data /data/note", new HostConfig { Binds = ["box:/data"], UsernsMode = "host" }));
        await world.EndAsync(plain);
        Assert.Equal("kept\n0\n33\n", await world.OutputAsync(plain));
        var refused = await Assert.ThrowsAsync<ContainerConflictException>(() => world.Containers.StatPathAsync(id, "/data", HostWorld.Soon));
        Assert.Contains("has a user namespace", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_of_it_is_left_after_a_teardown()
    {
        await using var world = await HostWorld.StartAsync(o => o with { Remap = Remap });
        await world.RunAsync(HostWorld.Script("sleep 1000", new HostConfig { IpcMode = "shareable" }));
        await world.StopDaemonAsync();
        Assert.Empty(await world.TeardownAsync());
        Assert.Empty(await world.TracesAsync());
    }
}
