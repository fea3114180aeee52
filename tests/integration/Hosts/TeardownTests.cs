namespace Orchestrator.Tests.Integration.Hosts;

/// <summary>Taking a host off the machine.</summary>
[Collection("hosts")]
public sealed class TeardownTests
{
    [Fact]
    public async Task Thirty_containers_at_once_run_and_go_with_the_host()
    {
        await using var world = await HostWorld.StartAsync();
        var ids = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => world.RunAsync(HostWorld.Script("exec sleep 1000"))));
        var running = ids.Select(id => world.Containers.Inspect(id)).ToList();
        Assert.All(running, c => Assert.True(c.State.Running));
        Assert.Equal(30, running.Select(c => c.NetworkSettings.Networks["bridge"].IpAddress).Distinct().Count());
        Assert.Equal(30, running.Select(c => c.State.Pid).Distinct().Count(HostWorld.Lives));

        await world.StopDaemonAsync();
        Assert.Empty(await world.TeardownAsync());
        Assert.Empty(await world.TracesAsync());
        Assert.DoesNotContain(running, c => HostWorld.Lives(c.State.Pid));
    }

    [Fact]
    public async Task A_host_goes_though_neither_its_shim_nor_its_daemon_is_there()
    {
        await using var world = await HostWorld.StartAsync();
        var ids = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => world.RunAsync(HostWorld.Script("sleep 1000 & exec sleep 1000"))));
        var pids = ids.Select(id => world.Containers.Inspect(id).State.Pid).ToList();
        var shim = await world.ShimPidAsync();
        await world.StopDaemonAsync(); // closes what the kernel would close for a killed process, and takes nothing down
        await HostWorld.KillAsync(shim);
        Assert.All(pids, pid => Assert.True(HostWorld.Lives(pid)));

        Assert.Empty(await world.TeardownAsync());
        Assert.Empty(await world.TracesAsync());
        Assert.DoesNotContain(pids, HostWorld.Lives);
    }

    [Fact]
    public async Task Taking_down_what_is_not_there_is_no_error()
    {
        await using var world = await HostWorld.StartAsync();
        await world.StopDaemonAsync();
        Assert.Empty(await world.TeardownAsync());
        Assert.Empty(await world.TeardownAsync());
        Assert.Empty(await world.TracesAsync());
    }
}
