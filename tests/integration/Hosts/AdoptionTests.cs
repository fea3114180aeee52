using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Integration.Hosts;

/// <summary>Daemons come and go over containers that run; shims die.</summary>
[Collection("hosts")]
public sealed class AdoptionTests
{
    [Fact]
    public async Task The_next_daemon_finds_the_same_processes_and_learns_what_ended_meanwhile()
    {
        await using var world = await HostWorld.StartAsync();
        var stays = await world.RunAsync(HostWorld.Script("echo first; while [ ! -e /go ]; do sleep 0.05; done; echo second; exec sleep 1000"));
        var ends = await world.RunAsync(HostWorld.Script("while [ ! -e /go ]; do sleep 0.05; done; echo last; exit 9"));
        var before = world.Containers.Inspect(stays).State;
        var ending = world.Containers.Inspect(ends).State;
        var shim = await world.ShimPidAsync();
        await world.StopDaemonAsync();

        await File.WriteAllTextAsync($"/proc/{before.Pid}/root/go", "");
        await File.WriteAllTextAsync($"/proc/{ending.Pid}/root/go", "");
        await Fixtures.Shell.EventuallyAsync("the end of one", () => Task.FromResult(HostWorld.Lives(ending.Pid)), lives => !lives);
        await world.StartDaemonAsync();

        var after = world.Containers.Inspect(stays).State;
        Assert.Equal((true, before.Pid, before.StartedAt), (after.Running, after.Pid, after.StartedAt));
        Assert.Equal(shim, await world.ShimPidAsync());
        var ended = await world.EndAsync(ends);
        Assert.Equal(("exited", 9, ""), (ended.Status, ended.ExitCode, ended.Error));
        Assert.Equal("last\n", await world.OutputAsync(ends));
        await world.UntilOutputAsync(stays, "first\nsecond\n");
        // The ended one's network is taken down beside the start, not before it.
        await Fixtures.Shell.EventuallyAsync("one sandbox left", () => world.Host.Networks.ListSandboxesAsync(HostWorld.Soon),
            sandboxes => sandboxes.Keys.SequenceEqual([stays]));
        await world.Containers.RemoveAsync(stays, force: true, volumes: false, HostWorld.Soon);
        Assert.False(HostWorld.Lives(before.Pid));
    }

    [Fact]
    public async Task A_shim_that_dies_is_replaced_and_what_it_held_ends_with_a_reason_or_starts_again()
    {
        await using var world = await HostWorld.StartAsync();
        var plain = await world.RunAsync(HostWorld.Script("exec sleep 1000"));
        var again = await world.RunAsync(HostWorld.Script(
            "echo page > /tmp/index.html; exec httpd -f -p 80 -h /tmp",
            new HostConfig
            {
                RestartPolicy = new() { Name = "always" },
                PortBindings = new Dictionary<string, IReadOnlyList<PortBinding>> { ["80/tcp"] = [new() { HostPort = "18080" }] },
            }));
        Assert.Equal("page\n", await world.FetchAsync(18080));
        var (lost, before) = (world.Containers.Inspect(plain).State.Pid, world.Containers.Inspect(again).State.Pid);
        var shim = await world.ShimPidAsync();

        await HostWorld.KillAsync(shim);

        var ended = (await world.UntilAsync(plain, "an end", c => !c.State.Running)).State;
        Assert.Equal(("exited", 255), (ended.Status, ended.ExitCode));
        Assert.Contains("unknown", ended.Error, StringComparison.Ordinal);
        await world.UntilAsync(again, "another start", c => c.State.Running && c.State.Pid != before);
        Assert.Equal("page\n", await world.FetchAsync(18080));
        Assert.NotEqual(shim, await world.ShimPidAsync());
        Assert.False(HostWorld.Lives(lost));
        Assert.False(HostWorld.Lives(before));
        Assert.Equal([again], (await world.Host.Networks.ListSandboxesAsync(HostWorld.Soon)).Keys);
        Assert.All(world.Groups(), group => Assert.DoesNotContain(plain, Directory.EnumerateDirectories(group).Select(Path.GetFileName)));
    }

    [Fact]
    public async Task A_daemon_that_finds_its_shim_dead_ends_what_that_left_and_starts_again_what_its_policy_says()
    {
        await using var world = await HostWorld.StartAsync();
        var plain = await world.RunAsync(HostWorld.Script("sleep 1000 & exec sleep 1000"));
        var again = await world.RunAsync(HostWorld.Script("exec sleep 1000", new HostConfig { RestartPolicy = new() { Name = "unless-stopped" } }));
        var before = new[] { plain, again }.Select(id => world.Containers.Inspect(id).State.Pid).ToList();
        var shim = await world.ShimPidAsync();
        await world.StopDaemonAsync();
        await HostWorld.KillAsync(shim);
        Assert.All(before, pid => Assert.True(HostWorld.Lives(pid)));

        await world.StartDaemonAsync();

        Assert.DoesNotContain(before, HostWorld.Lives);
        var ended = world.Containers.Inspect(plain).State;
        Assert.Equal(("exited", 255), (ended.Status, ended.ExitCode));
        Assert.NotEmpty(ended.Error);
        await world.UntilAsync(again, "another start", c => c.State.Running && !before.Contains(c.State.Pid) && HostWorld.Lives(c.State.Pid));
        Assert.Equal([again], (await world.Host.Networks.ListSandboxesAsync(HostWorld.Soon)).Keys);
        Assert.All(world.Groups(), group => Assert.DoesNotContain(plain, Directory.EnumerateDirectories(group).Select(Path.GetFileName)));
    }
}
