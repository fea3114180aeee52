using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;

namespace Orchestrator.Tests.Integration.Hosts;

/// <summary>Containers of a worker host on the real kernel, from creation to removal.</summary>
[Collection("hosts")]
public sealed class LifeTests
{
    [Fact]
    public async Task A_container_starts_answers_on_its_port_stops_and_goes_without_a_trace()
    {
        await using var world = await HostWorld.StartAsync();
        var config = new HostConfig { PortBindings = new Dictionary<string, IReadOnlyList<PortBinding>> { ["80/tcp"] = [new() { HostPort = "18080" }] } };
        var id = await world.RunAsync(HostWorld.Script(
            "echo page > /tmp/index.html; trap 'echo bye; exit 7' TERM; httpd -p 80 -h /tmp; echo ready; echo noise >&2; while :; do sleep 0.05; done", config));
        var running = world.Containers.Inspect(id);
        Assert.True(running.State.Running);
        Assert.True(HostWorld.Lives(running.State.Pid));
        Assert.StartsWith("172.", running.NetworkSettings.Networks["bridge"].IpAddress, StringComparison.Ordinal);

        await world.UntilOutputAsync(id, "ready");
        Assert.Equal("page\n", await world.FetchAsync(18080));
        Assert.Equal("noise\n", await world.OutputAsync(id, "stderr"));

        Assert.True(await world.Containers.StopAsync(id, TimeSpan.FromSeconds(20), null, HostWorld.Soon));
        var ended = world.Containers.Inspect(id).State;
        Assert.Equal(("exited", 7, 0), (ended.Status, ended.ExitCode, ended.Pid));
        Assert.Equal("ready\nbye\n", await world.OutputAsync(id));
        Assert.False(HostWorld.Lives(running.State.Pid));

        await world.Containers.RemoveAsync(id, force: false, volumes: false, HostWorld.Soon);
        Assert.Empty(world.Containers.List(new ContainerQuery { All = true }));
        Assert.DoesNotContain(await world.TracesAsync(), t => t.Contains(id[..12], StringComparison.Ordinal));
        Assert.All(world.Groups(), group => Assert.DoesNotContain(id, Directory.EnumerateDirectories(group).Select(Path.GetFileName)));
        Assert.Empty(await world.Host.Networks.ListSandboxesAsync(HostWorld.Soon));
        Assert.Empty(world.Host.Images.HoldersOf((await world.Host.Images.InspectAsync(HostWorld.Image, HostWorld.Soon)).Id));

        await world.StopDaemonAsync();
        Assert.Empty(await world.TeardownAsync());
        Assert.Empty(await world.TracesAsync());
    }

    [Fact]
    public async Task An_end_for_want_of_memory_is_told_apart_from_a_kill()
    {
        await using var world = await HostWorld.StartAsync();
        var limited = new HostConfig { Memory = 16 << 20, MemorySwap = 16 << 20 };
        var hog = await world.RunAsync(HostWorld.Script("exec dd if=/dev/zero of=/dev/null bs=64M", limited));
        var ended = await world.EndAsync(hog);
        Assert.Equal((137, true), (ended.ExitCode, ended.OomKilled));

        var killed = await world.RunAsync(HostWorld.Script("exec sleep 1000", limited));
        await world.Containers.KillAsync(killed, null, HostWorld.Soon);
        ended = await world.EndAsync(killed);
        Assert.Equal((137, false), (ended.ExitCode, ended.OomKilled));
    }

    [Fact]
    public async Task More_processes_than_the_limit_are_refused_inside_the_container()
    {
        await using var world = await HostWorld.StartAsync();
        var id = await world.RunAsync(HostWorld.Script(
            "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1000 & done", new HostConfig { PidsLimit = 8 }));
        var ended = await world.EndAsync(id);
        Assert.NotEqual(0, ended.ExitCode);
        Assert.Contains("fork", await world.OutputAsync(id, "stderr"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_restarts_what_fails_as_often_as_it_says()
    {
        await using var world = await HostWorld.StartAsync();
        var id = await world.RunAsync(HostWorld.Script(
            "echo once; exit 3", new HostConfig { RestartPolicy = new() { Name = "on-failure", MaximumRetryCount = 2 } }));
        var ended = await world.UntilAsync(id, "the last failure", c => c is { RestartCount: 2, State.Status: "exited" });
        Assert.Equal(3, ended.State.ExitCode);
        var output = await world.OutputAsync(id);
        Assert.True(output == "once\nonce\nonce\n", $"{output}\n{world.Said}");
    }
}
