using Orchestrator.Shared.Model;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Payloads;
using Orchestrator.Worker.Containers.Plan;

namespace Orchestrator.Tests.Integration.Hosts;

/// <summary>Files that lie on no disk, in containers of the real kernel.</summary>
[Collection("hosts")]
public sealed class MemoryFilesTests
{
    private static readonly ContainerFiles Files = new(
    [
        new("/run/secrets/token", 33, 33, 0x100, "hunter2"u8.ToArray()),
        new("/etc/deep/er/app.conf", 0, 0, 0x124, new byte[300_000]),
    ]);

    [Fact]
    public async Task They_have_their_owners_and_modes_are_read_only_never_swapped_and_gone_from_the_host_at_once()
    {
        await using var world = await HostWorld.StartAsync();
        var id = await StartAsync(world, """
            stat -c '%n %u:%g %a %s' /run/secrets/token /etc/deep/er/app.conf
            cat /run/secrets/token; echo
            echo x 2>/dev/null >/etc/deep/er/app.conf || echo refused
            grep -E ' /run/secrets/token | /etc/deep' /proc/self/mountinfo
            echo done; exec sleep 1000
            """);
        await world.UntilOutputAsync(id, "done");
        var output = await world.OutputAsync(id);
        Assert.StartsWith("/run/secrets/token 33:33 400 7\n/etc/deep/er/app.conf 0:0 444 300000\nhunter2\nrefused\n", output, StringComparison.Ordinal);
        var mounts = output.Split('\n').Where(l => l.Contains(" - ", StringComparison.Ordinal)).ToArray();
        Assert.Equal(2, mounts.Length);
        Assert.All(mounts, m =>
        {
            Assert.Contains("ro,nosuid,nodev,noexec", m, StringComparison.Ordinal);
            Assert.True(m.Contains(" - ramfs ", StringComparison.Ordinal) || (m.Contains(" - tmpfs ", StringComparison.Ordinal) && m.Contains("noswap", StringComparison.Ordinal)), m);
        });
        Assert.DoesNotContain(File.ReadAllLines("/proc/self/mountinfo"), l => l.Contains($"{world.Root}/run/files", StringComparison.Ordinal));
        Assert.Empty(Directory.EnumerateFileSystemEntries($"{world.Root}/run/files"));
        Assert.Equal("", await GrepAsync(world));
        Assert.DoesNotContain(await world.Containers.ChangesAsync(id, HostWorld.Soon), c => c.Path is "/run/secrets/token" or "/etc/deep/er/app.conf");
        using var export = new MemoryStream();
        await world.Containers.ExportAsync(id, export, HostWorld.Soon);
        Assert.Equal(-1, export.ToArray().AsSpan().IndexOf("hunter2"u8));
        await world.Containers.RemoveAsync(id, force: true, volumes: false, HostWorld.Soon);
    }

    [Fact]
    public async Task A_new_daemon_leaves_them_to_what_runs_and_starts_nothing_without_them()
    {
        await using var world = await HostWorld.StartAsync();
        var id = await StartAsync(world, "trap 'exit 0' TERM; while :; do cat /run/secrets/token; echo; sleep 0.1; done");
        await world.UntilOutputAsync(id, "hunter2");
        await world.StopDaemonAsync();
        // What a daemon that died between mounting and launching leaves.
        var left = Directory.CreateDirectory($"{world.Root}/run/files/left").FullName;
        (await Shell.RunAsync("mount", ["-t", "tmpfs", "tmpfs", left])).Succeeded();
        await world.StartDaemonAsync();
        Assert.False(Directory.Exists(left));
        var pid = world.Containers.Inspect(id).State.Pid;
        Assert.Equal("hunter2", await File.ReadAllTextAsync($"/proc/{pid}/root/run/secrets/token"));

        await world.Containers.StopAsync(id, TimeSpan.FromSeconds(20), null, HostWorld.Soon);
        var refused = await Assert.ThrowsAsync<ContainerStartException>(() => world.Containers.StartAsync(id, HostWorld.Soon));
        Assert.Contains("its secrets and configs (/run/secrets/token, /etc/deep/er/app.conf) are not here", refused.Message, StringComparison.Ordinal);
        world.Containers.GiveFiles(id, Files);
        Assert.True(await world.Containers.StartAsync(id, HostWorld.Soon));
        pid = world.Containers.Inspect(id).State.Pid;
        Assert.Equal("hunter2", await File.ReadAllTextAsync($"/proc/{pid}/root/run/secrets/token"));
        Assert.Equal("", await GrepAsync(world));
        await world.Containers.RemoveAsync(id, force: true, volumes: false, HostWorld.Soon);
    }

    [Fact]
    public async Task A_start_that_fails_leaves_nothing_mounted()
    {
        await using var world = await HostWorld.StartAsync();
        var made = await world.Containers.CreateAsync(new ContainerCreateRequest { Image = HostWorld.Image, Cmd = ["/no/such/program"] }, null, Files, HostWorld.Soon);
        await Assert.ThrowsAsync<ContainerStartException>(() => world.Containers.StartAsync(made.Id, HostWorld.Soon));
        Assert.Empty(Directory.EnumerateFileSystemEntries($"{world.Root}/run/files"));
    }

    [Fact]
    public async Task In_a_user_namespace_their_owners_are_the_containers()
    {
        await using var world = await HostWorld.StartAsync(new UserRemap
        {
            Uids = [new() { ContainerId = 0, HostId = 231072, Size = 65536 }],
            Gids = [new() { ContainerId = 0, HostId = 331072, Size = 65536 }],
        });
        var id = await StartAsync(world, "stat -c '%u:%g %a' /run/secrets/token /etc/deep/er/app.conf; cat /run/secrets/token; echo; head -1 /proc/self/uid_map; echo done; exec sleep 1000");
        await world.UntilOutputAsync(id, "done");
        var output = (await world.OutputAsync(id)).Split('\n');
        Assert.Equal(["33:33 400", "0:0 444", "hunter2"], output[..3]);
        Assert.Contains("231072", output[3], StringComparison.Ordinal);
        await world.Containers.RemoveAsync(id, force: true, volumes: false, HostWorld.Soon);

        var outside = new ContainerFiles([new("/k", 70000, 0, 0x100, "x"u8.ToArray())]);
        var made = await world.Containers.CreateAsync(HostWorld.Script("true"), null, outside, HostWorld.Soon);
        var refused = await Assert.ThrowsAsync<ContainerStartException>(() => world.Containers.StartAsync(made.Id, HostWorld.Soon));
        Assert.Contains("the owner 70000 of a secret or config is none of the ids", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<string> StartAsync(HostWorld world, string script)
    {
        var made = await world.Containers.CreateAsync(HostWorld.Script(script), null, Files, HostWorld.Soon);
        await world.Containers.StartAsync(made.Id, HostWorld.Soon);
        return made.Id;
    }

    /// <summary>Files below the roots with the secret in them; the container's own output, into which it writes the secret itself, is not ours.</summary>
    private static async Task<string> GrepAsync(HostWorld world) =>
        (await Shell.RunAsync("grep", ["-rl", "--exclude=*-json.log", "--exclude=*.spool", "--devices=skip", "hunter2", world.Root])).Output;
}
