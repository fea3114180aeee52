using System.Diagnostics;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cluster;

public sealed class QuorumTests
{
    [Fact]
    public async Task A_lost_majority_is_told_in_seconds_and_the_survivor_begins_anew_with_everything()
    {
        await using var world = await ClusterWorld.StartAsync(managers: 3, workers: 1);
        await world.EventuallyAsync("ready/leader ready/reachable ready/reachable ready");
        await world.LoadBusyboxAsync();
        (await world[0].OrchAsync("service", "create", "--name", "web", "--replicas", "4", "--detach", "busybox", "sleep", "infinity")).Succeeded();
        (await world[0].ClientAsync("orch", "hidden", "secret", "create", "kept", "-")).Succeeded();
        await world.SpreadEventuallyAsync("web", "1 1 1 1");
        var survivors = await world[2].TaskPidsAsync("web");
        var before = (await world[2].GetAsync("/services")).ToString();

        // One manager gone: the others go on, whichever led.
        await world[0].KillDaemonAsync();
        await Shell.EventuallyAsync("another leader", () => world[2].OrchAsync("node", "ls"), r => r.ExitCode == 0);
        (await world[2].OrchAsync("service", "update", "--label-add", "n=1", "--detach", "web")).Succeeded();

        // Two of three gone.
        await world[1].KillDaemonAsync();
        var began = Stopwatch.GetTimestamp();
        var write = await world[2].OrchAsync("service", "update", "--label-add", "n=2", "--detach", "web");
        var read = await world[2].OrchAsync("service", "ls");
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30), "lost quorum was not told in time");
        foreach (var refused in new[] { write, read })
        {
            Assert.NotEqual(0, refused.ExitCode);
            Assert.Contains("The swarm does not have a leader", refused.Error, StringComparison.Ordinal);
            Assert.Contains("--force-new-cluster", refused.Error, StringComparison.Ordinal);
        }

        (await world[2].OrchAsync("swarm", "init", "--force-new-cluster")).Succeeded();
        await Shell.EventuallyAsync("the old managers down and the worker back", () => Standing(world), s => s is "down down ready/leader ready");
        Assert.Contains("kept", (await world[2].OrchAsync("secret", "ls")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("\"web\"", before, StringComparison.Ordinal);
        (await world[2].OrchAsync("service", "update", "--label-add", "n=3", "--detach", "web")).Succeeded();
        var labels = (await world[2].OrchAsync("service", "inspect", "--format", "{{json .Spec.Labels}}", "web")).Succeeded().Output;
        Assert.Equal("{\"n\":\"3\"}", labels.Trim());

        // What ran on the survivors runs on: nothing of it was stopped.
        var mine = (await world[2].OrchAsync("node", "ps", "self", "--filter", "desired-state=running", "-q", "--no-trunc")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var now = await world[2].TaskPidsAsync("web");
        Assert.Contains(mine, id => survivors.ContainsKey(id) && now.GetValueOrDefault(id) == survivors[id]);

        // A manager that was given up comes back: it learns that it is a worker now.
        await world[0].StartDaemonAsync();
        await Shell.EventuallyAsync("the former manager as a worker", () => Standing(world), s => s is "ready down ready/leader ready");
        Assert.Contains("not a swarm manager", (await Shell.EventuallyAsync("its own answer", () => world[0].OrchAsync("node", "ls"), r => r.Error.Contains("not a swarm manager", StringComparison.Ordinal))).Error, StringComparison.Ordinal);

        // New managers may join.
        (await world[2].OrchAsync("node", "promote", await world.NodeAsync(3))).Succeeded();
        await Shell.EventuallyAsync("two managers", () => Standing(world), s => s is "ready down ready/leader ready/reachable");

        static async Task<string> Standing(ClusterWorld world)
        {
            var lines = (await world[2].OrchAsync("node", "ls", "--format", "{{.ID}} {{.Status}} {{.ManagerStatus}}")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            var words = new List<string>();
            for (var i = 0; i < world.Hosts.Count; i++)
            {
                var id = System.Text.Json.JsonDocument.Parse(await File.ReadAllTextAsync($"{world[i].Root}/data/swarm/node.json")).RootElement.GetProperty("NodeId").GetString()!;
                var row = lines.FirstOrDefault(l => l.StartsWith(id, StringComparison.Ordinal))?.Split(' ') ?? [];
                words.Add(string.Join('/', row.Skip(1).Where(w => w.Length > 0)).ToLowerInvariant());
            }

            return string.Join(" ", words);
        }
    }

    [Fact]
    public async Task A_demotion_that_would_lose_the_majority_is_refused_and_an_unreachable_manager_can_be_demoted_and_removed()
    {
        await using var world = await ClusterWorld.StartAsync(managers: 3, workers: 0);
        await world.EventuallyAsync("ready/leader ready/reachable ready/reachable");
        var (second, third) = (await world.NodeAsync(1), await world.NodeAsync(2));
        await world[2].KillDaemonAsync();
        await Shell.EventuallyAsync("the third manager unreachable", () => world[0].OrchAsync("node", "ls"), r => r.Output.Contains("Unreachable", StringComparison.Ordinal));

        var refused = await world[0].OrchAsync("node", "demote", second);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("without it too few of the others can be reached", refused.Error, StringComparison.Ordinal);
        Assert.Contains("must be demoted", (await world[0].OrchAsync("node", "rm", "--force", third)).Error, StringComparison.Ordinal);
        (await world[1].OrchAsync("node", "demote", third)).Succeeded();
        await Shell.EventuallyAsync("the third out of the consensus", () => world[0].OrchAsync("node", "rm", third), r => r.ExitCode == 0);
        Assert.DoesNotContain(third, (await world[1].OrchAsync("node", "ls", "-q")).Succeeded().Output, StringComparison.Ordinal);

        // Back, it is told that it was removed, and by what to do.
        await world[2].StartDaemonAsync();
        await Shell.EventuallyAsync("its log says so", () => Task.FromResult(world[2].DaemonLog), log => log.Contains("it was removed", StringComparison.Ordinal));
        (await world[2].OrchAsync("swarm", "leave", "--force")).Succeeded();
        (await world.JoinAsync(2, "worker")).Succeeded();
        await Shell.EventuallyAsync("it as a worker", () => world.StandingAsync(), s => s.EndsWith(" ready", StringComparison.Ordinal));
    }
}
