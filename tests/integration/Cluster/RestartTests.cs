using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cluster;

public sealed class RestartTests
{
    [Fact]
    public async Task Every_daemon_comes_back_as_what_it_was_and_nothing_is_restarted()
    {
        await using var world = await ClusterWorld.StartAsync(managers: 3, workers: 1);
        await world.EventuallyAsync("ready/leader ready/reachable ready/reachable ready");
        await world.LoadBusyboxAsync();
        (await world[0].OrchAsync("swarm", "update", "--dispatcher-heartbeat", "30s")).Succeeded(); // however long a restart takes here: nobody is taken for dead
        (await world[0].OrchAsync("service", "create", "--name", "web", "--replicas", "4", "--detach", "busybox", "sleep", "infinity")).Succeeded();
        await world.SpreadEventuallyAsync("web", "1 1 1 1");
        var pids = await world[0].TaskPidsAsync("web");

        // One after the other, then all managers at once and without farewell.
        foreach (var host in world.Hosts)
        {
            await host.StopDaemonAsync();
            await host.StartDaemonAsync();
            await Shell.EventuallyAsync("three managers and a worker", () => world.StandingAsync(from: 1), IsWhole);
        }

        await Task.WhenAll(world.Hosts.Take(3).Select(h => h.KillDaemonAsync()));
        await Task.WhenAll(world.Hosts.Take(3).Select(h => h.StartDaemonAsync()));
        await Shell.EventuallyAsync("three managers and a worker", () => world.StandingAsync(from: 2), IsWhole);
        await world.SpreadEventuallyAsync("web", "1 1 1 1", from: 2);
        Assert.Equal(pids, await world[2].TaskPidsAsync("web"));

        static bool IsWhole(string standing) => standing.Split(' ') is [.. var managers, "ready"]
            && managers.Count(m => m == "ready/leader") == 1 && managers.Count(m => m == "ready/reachable") == 2;
    }

    [Fact]
    public async Task A_manager_whose_journal_was_taken_away_is_taken_in_as_another_member()
    {
        await using var world = await ClusterWorld.StartAsync(managers: 3, workers: 0);
        await world.EventuallyAsync("ready/leader ready/reachable ready/reachable");
        var number = world.Number(1);
        await world[1].KillDaemonAsync();
        Directory.Delete($"{world[1].Root}/data/manager", recursive: true);
        (await world[0].OrchAsync("node", "update", "--label-add", "while=away", await world.NodeAsync(0))).Succeeded();
        await world[1].StartDaemonAsync();
        await world.EventuallyAsync("ready/leader ready/reachable ready/reachable", from: 1);
        Assert.NotEqual(number, world.Number(1));
        Assert.Contains("begins an empty one, as another member", world[1].DaemonLog, StringComparison.Ordinal);

        // It votes, and its former number does not count: two of three are a majority.
        await world[2].KillDaemonAsync();
        (await world[1].OrchAsync("node", "update", "--label-add", "with=two", await world.NodeAsync(0))).Succeeded();
    }

    [Fact]
    public async Task A_locked_manager_says_so_and_is_unlocked_by_the_key()
    {
        await using var world = await ClusterWorld.StartAsync(hosts: 1);
        var begun = (await world[0].OrchAsync("swarm", "init", "--autolock")).Succeeded().Output;
        var key = (await world[0].OrchAsync("swarm", "unlock-key", "-q")).Succeeded().Output.Trim();
        Assert.Contains(key, begun, StringComparison.Ordinal);
        await world.LoadBusyboxAsync();
        (await world[0].OrchAsync("service", "create", "--name", "web", "--detach", "busybox", "sleep", "infinity")).Succeeded();
        await world.SpreadEventuallyAsync("web", "1");
        var pids = await world[0].TaskPidsAsync("web");

        await world[0].KillDaemonAsync();
        await world[0].StartDaemonAsync();
        Assert.Equal("locked", (await world[0].GetAsync("/info")).GetProperty("Swarm").GetProperty("LocalNodeState").GetString());
        Assert.Contains("Swarm is encrypted and needs to be unlocked", (await world[0].OrchAsync("service", "ls")).Error, StringComparison.Ordinal);
        var other = key[..^2] + (key[^2] == 'A' ? 'B' : 'A') + key[^1];
        Assert.Contains("invalid key provided", (await world[0].ClientAsync("orch", other + "\n", "swarm", "unlock")).Error, StringComparison.Ordinal);
        (await world[0].ClientAsync("orch", key + "\n", "swarm", "unlock")).Succeeded();
        await world.EventuallyAsync("ready/leader");
        Assert.Equal(pids, await world[0].TaskPidsAsync("web"));

        // Another key; and then none.
        var rotated = (await world[0].OrchAsync("swarm", "unlock-key", "--rotate", "-q")).Succeeded().Output.Trim();
        Assert.NotEqual(key, rotated);
        (await world[0].OrchAsync("swarm", "update", "--autolock=false")).Succeeded();
        Assert.Contains("no unlock key is set", (await world[0].OrchAsync("swarm", "unlock-key")).Error, StringComparison.Ordinal);
    }
}
