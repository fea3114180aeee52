namespace Orchestrator.Tests.Integration.Hosts;

/// <summary>Daemons come and go over containers that run.</summary>
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
}
