using System.Globalization;
using Orchestrator.Shared.Model;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Worker.Containers;

namespace Orchestrator.Tests.Integration.Hosts;

/// <summary>Standing still, other limits, and what is used, on a host with a daemon and a shim.</summary>
public sealed class PauseTests
{
    private const long Mebi = 1 << 20;
    private const string Counts = "trap 'echo told; exit 3' TERM; echo up; while :; do sleep 0.05; done";

    [Fact]
    public async Task A_paused_container_says_so_outlives_the_daemon_and_goes_on()
    {
        await using var world = await HostWorld.StartAsync();
        var id = await world.RunAsync(HostWorld.Script(Counts));
        await world.UntilOutputAsync(id, "up");
        await world.Containers.PauseAsync(id, HostWorld.Soon);
        var paused = world.Containers.Inspect(id).State;
        Assert.Equal(("paused", true, true), (paused.Status, paused.Running, paused.Paused));
        Assert.EndsWith("(Paused)", Row(world, id).Status);
        Assert.Equal("paused", Row(world, id).State);
        await Assert.ThrowsAsync<ContainerConflictException>(() => world.Containers.PauseAsync(id, HostWorld.Soon));
        var start = await Assert.ThrowsAsync<ContainerConflictException>(() => world.Containers.StartAsync(id, HostWorld.Soon));
        Assert.Contains("try unpause instead", start.Message);
        var remove = await Assert.ThrowsAsync<ContainerConflictException>(() => world.Containers.RemoveAsync(id, force: false, volumes: false, HostWorld.Soon));
        Assert.Contains("paused and must be unpaused first", remove.Message);

        await world.StopDaemonAsync();
        await world.StartDaemonAsync();
        Assert.Equal("paused", world.Containers.Inspect(id).State.Status);
        await world.Containers.UnpauseAsync(id, HostWorld.Soon);
        Assert.Equal(("running", false), (world.Containers.Inspect(id).State.Status, world.Containers.Inspect(id).State.Paused));
        await Assert.ThrowsAsync<ContainerConflictException>(() => world.Containers.UnpauseAsync(id, HostWorld.Soon));
        await world.Containers.StopAsync(id, TimeSpan.FromSeconds(30), null, HostWorld.Soon);
        Assert.Equal(3, world.Containers.Inspect(id).State.ExitCode);
    }

    [Fact]
    public async Task A_stop_lets_a_paused_container_obey_and_a_kill_ends_it()
    {
        await using var world = await HostWorld.StartAsync();
        var obeys = await world.RunAsync(HostWorld.Script(Counts));
        await world.UntilOutputAsync(obeys, "up");
        await world.Containers.PauseAsync(obeys, HostWorld.Soon);
        await world.Containers.StopAsync(obeys, TimeSpan.FromSeconds(30), null, HostWorld.Soon);
        Assert.Equal((3, "told"), (world.Containers.Inspect(obeys).State.ExitCode, (await world.OutputAsync(obeys)).Trim().Split('\n')[^1]));

        var dies = await world.RunAsync(HostWorld.Script(Counts));
        await world.Containers.PauseAsync(dies, HostWorld.Soon);
        await world.Containers.KillAsync(dies, null, HostWorld.Soon);
        Assert.Equal(137, (await world.EndAsync(dies)).ExitCode);
        await world.Containers.StartAsync(dies, HostWorld.Soon);
        await world.Containers.PauseAsync(dies, HostWorld.Soon);
        await world.Containers.RemoveAsync(dies, force: true, volumes: false, HostWorld.Soon);
        Assert.Null(world.Containers.TryFind(dies));
        Assert.DoesNotContain(world.Groups().SelectMany(g => Directory.EnumerateDirectories(g)), d => d.EndsWith(dies, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Other_limits_hold_at_once_and_after_a_restart_and_a_new_daemon()
    {
        await using var world = await HostWorld.StartAsync();
        var id = await world.RunAsync(HostWorld.Script(Counts, new HostConfig { Memory = 64 * Mebi, PidsLimit = 20 }));
        await world.UntilOutputAsync(id, "up");
        Assert.Equal(128 * Mebi, world.Containers.Inspect(id).HostConfig.MemorySwap);
        var above = await Assert.ThrowsAsync<InvalidContainerException>(() => world.Containers.UpdateAsync(id, new ContainerUpdateRequest { Memory = 256 * Mebi }, HostWorld.Soon));
        Assert.Contains("memoryswap", above.Message);
        await world.Containers.UpdateAsync(
            id, new ContainerUpdateRequest { Memory = 96 * Mebi, PidsLimit = 33, CpuQuota = 40_000, RestartPolicy = new ContainerRestartPolicy { Name = "always" } }, HostWorld.Soon);
        Assert.Equal((96 * Mebi, 33), await LimitsAsync(world, id));

        await world.StopDaemonAsync();
        await world.StartDaemonAsync();
        await world.Containers.RestartAsync(id, TimeSpan.FromSeconds(30), null, HostWorld.Soon);
        Assert.Equal((96 * Mebi, 33), await LimitsAsync(world, id));
        var kept = world.Containers.Inspect(id).HostConfig;
        Assert.Equal((96 * Mebi, 33L, 40_000, "always"), (kept.Memory, kept.PidsLimit, kept.CpuQuota, kept.RestartPolicy!.Name));
        Assert.Contains(world.Groups().SelectMany(g => (string[])[$"{g}/{id}/cpu.max", $"{g}/{id}/cpu.cfs_quota_us"]).Where(File.Exists),
            f => File.ReadAllText(f).StartsWith("40000", StringComparison.Ordinal));
        await world.UntilOutputAsync(id, "up");
        await HostWorld.KillAsync(world.Containers.Inspect(id).State.Pid);
        await world.UntilAsync(id, "a restart by the new policy", c => c is { RestartCount: > 0, State.Running: true });
    }

    [Fact]
    public async Task A_parent_of_its_own_holds_the_containers_groups_and_a_teardown_finds_them()
    {
        await using var world = await HostWorld.StartAsync();
        var parent = $"orch-parent-{Environment.ProcessId}";
        var refused = await Assert.ThrowsAsync<InvalidContainerException>(() => world.Containers.CreateAsync(HostWorld.Script("true", new HostConfig { CgroupParent = "/../x" }), null, HostWorld.Soon));
        Assert.Contains("cgroup parent", refused.Message);
        var id = await world.RunAsync(HostWorld.Script("sleep 1000", new HostConfig { CgroupParent = "/" + parent, PidsLimit = 5 }));
        string[] Places() => [.. Directory.EnumerateDirectories("/sys/fs/cgroup").Prepend("/sys/fs/cgroup").Select(h => $"{h}/{parent}").Where(Directory.Exists)];
        var instance = Path.GetFileName(world.Groups()[0]);
        Assert.Contains(Places(), p => File.Exists($"{p}/{instance}/{id}/pids.max") && File.ReadAllText($"{p}/{instance}/{id}/pids.max") == "5\n");
        Assert.DoesNotContain(world.Groups().Where(g => !g.Contains(parent, StringComparison.Ordinal)), g => Directory.Exists($"{g}/{id}"));
        await world.StopDaemonAsync();
        await HostWorld.KillAsync(await world.ShimPidAsync());
        Assert.Empty(await world.TeardownAsync());
        Assert.DoesNotContain(Places(), p => Directory.Exists($"{p}/{instance}"));
        foreach (var place in Places())
            Directory.Delete(place);
    }

    [Fact]
    public async Task Processes_and_usage_are_told()
    {
        await using var world = await HostWorld.StartAsync();
        var id = await world.RunAsync(HostWorld.Script("sleep 1000 & echo up; wait", new HostConfig { Memory = 64 * Mebi }));
        await world.UntilOutputAsync(id, "up");
        var top = await Shell.EventuallyAsync("two processes", () => world.Containers.ListProcessesAsync(id, null, HostWorld.Soon),
            t => t.Processes.Count == 2 && t.Processes.Any(p => p[^1] == "sleep 1000"));
        Assert.Equal(["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"], top.Titles);
        var first = world.Containers.Inspect(id).State.Pid.ToString(CultureInfo.InvariantCulture);
        Assert.Equal(["root", first], top.Processes[0].Take(2));
        Assert.Equal([first, "sleep 1000"], [top.Processes[1][2], top.Processes[1][^1]]);
        var own = await world.Containers.ListProcessesAsync(id, "-o pid,comm,rss", HostWorld.Soon);
        Assert.Equal(["PID", "COMMAND", "RSS"], own.Titles);
        await Assert.ThrowsAsync<InvalidContainerException>(() => world.Containers.ListProcessesAsync(id, "-o secrets", HostWorld.Soon));

        var stats = await world.Containers.ReadStatsAsync(id, HostWorld.Soon);
        Assert.Equal((2, 64 * Mebi), (stats.Pids.Current, stats.Memory.Limit));
        Assert.True(stats.Memory.Usage > 0 && stats.Cpu.Times.Total > 0 && stats.Cpu.System > stats.Cpu.Times.Total, $"{stats}");
        Assert.Equal(["eth0"], stats.Networks!.Keys);
        await world.Containers.StopAsync(id, TimeSpan.Zero, null, HostWorld.Soon);
        Assert.Equal(default, (await world.Containers.ReadStatsAsync(id, HostWorld.Soon)).Read);
        await Assert.ThrowsAsync<ContainerConflictException>(() => world.Containers.ListProcessesAsync(id, null, HostWorld.Soon));
    }

    [Fact]
    public async Task A_container_that_lives_on_without_memory_says_so_at_once()
    {
        await using var world = await HostWorld.StartAsync();
        var id = await world.RunAsync(HostWorld.Script(
            "while :; do dd if=/dev/zero of=/dev/null bs=99M count=1; echo lives; sleep 0.2; done", new HostConfig { Memory = 16 * Mebi, MemorySwap = 16 * Mebi }));
        await Shell.EventuallyAsync(
            "an event of it", () => Task.FromResult(world.Host.Events.Past(DateTimeOffset.UnixEpoch)), past => past.Any(e => e.Action == "oom" && e.Actor.Id == id));
        await world.UntilOutputAsync(id, "lives");
        Assert.True(world.Containers.Inspect(id).State.Running);
    }

    private static ContainerSummary Row(HostWorld world, string id) => world.Containers.List(new ContainerQuery()).Single(c => c.Id == id);

    private static async Task<(long Memory, long Pids)> LimitsAsync(HostWorld world, string id)
    {
        var stats = await world.Containers.ReadStatsAsync(id, HostWorld.Soon);
        return (stats.Memory.Limit, stats.Pids.Limit);
    }
}
