using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cluster;

public sealed class LeaveTests
{
    [Fact]
    public async Task Workers_and_managers_leave_and_are_seen_to()
    {
        await using var world = await ClusterWorld.StartAsync(managers: 3, workers: 1);
        await world.EventuallyAsync("ready/leader ready/reachable ready/reachable ready");
        var nodes = new List<string>();
        for (var i = 0; i < 4; i++)
            nodes.Add(await world.NodeAsync(i));

        (await world[3].OrchAsync("swarm", "leave")).Succeeded();
        await RowAsync(world, 1, nodes[3], "Down", "");
        (await world[1].OrchAsync("node", "rm", nodes[3])).Succeeded();
        Assert.Contains("inactive", (await world[3].GetAsync("/info")).GetProperty("Swarm").ToString(), StringComparison.Ordinal);

        // A manager does not leave by accident. The leader leaves by force: it hands over and is put out first.
        var refused = await world[0].OrchAsync("swarm", "leave");
        Assert.Contains("participating as a manager", refused.Error, StringComparison.Ordinal);
        (await world[0].OrchAsync("swarm", "leave", "--force")).Succeeded();
        await RowAsync(world, 1, nodes[0], "Down", "");
        (await world[1].OrchAsync("node", "rm", nodes[0])).Succeeded();
        await Shell.EventuallyAsync("two managers left", () => world[1].OrchAsync("node", "ls"),
            r => r.Output.Contains("Leader", StringComparison.Ordinal) && r.Output.Contains("Reachable", StringComparison.Ordinal));

        // It may come back, as anything; several managers may be given, and those that do not answer are passed over.
        var token = await world.TokenAsync("manager", from: 1);
        (await world[0].OrchAsync("swarm", "join", "--token", token, "--advertise-addr", "up0", $"{world[3].Address}:2377", $"{world[2].Address},{world[1].Address}")).Succeeded();
        await Shell.EventuallyAsync("three managers", () => world[2].OrchAsync("node", "ls"),
            r => r.Output.Split("Reachable").Length == 3 && r.Output.Contains("Leader", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_may_not_join_is_told_why()
    {
        await using var world = await ClusterWorld.StartAsync(hosts: 2);
        (await world[0].OrchAsync("swarm", "init", "--listen-addr", $"{world[0].Address}:4377")).Succeeded();
        var token = await world.TokenAsync("worker");
        var (one, two) = (world[0].Address, world[1]);

        async Task SaysAsync(string sentence, params string[] arguments)
        {
            var refused = await two.OrchAsync(["swarm", "join", .. arguments]);
            Assert.NotEqual(0, refused.ExitCode);
            Assert.Contains(sentence, refused.Error, StringComparison.Ordinal);
        }

        await SaysAsync("a join token is needed", $"{one}:4377");
        await SaysAsync("not a join token", "--token", "SWMTKN-1-nonsense", $"{one}:4377");
        await SaysAsync("'nowhere9' is neither an address nor an interface", "--token", token, "--advertise-addr", "nowhere9", $"{one}:4377");
        await SaysAsync("no manager could be asked", "--token", token, $"{one}:2377");
        var last = token[^1] == '0' ? '1' : '0';
        await SaysAsync("the join token is not valid", "--token", token[..^1] + last, $"{one}:4377");
        (await two.OrchAsync("swarm", "join", "--token", token, "--listen-addr", "0.0.0.0:5377", $"{one}:4377")).Succeeded();
        await SaysAsync("already part of a swarm", "--token", token, $"{one}:4377");
        Assert.Equal($"{two.Address}:5377", (await world[0].GetAsync($"/nodes/{await world.NodeAsync(1)}")).GetProperty("ClusterAddr").GetString());
        (await world[0].OrchAsync("node", "promote", await world.NodeAsync(1))).Succeeded();
        await world.EventuallyAsync("ready/leader ready/reachable");
    }

    private static async Task RowAsync(ClusterWorld world, int from, string node, string state, string manager) => await Shell.EventuallyAsync(
        $"{node} as {state} {manager}", () => world[from].OrchAsync("node", "ls", "--format", "{{.ID}}|{{.Status}}|{{.ManagerStatus}}"),
        r => r.Output.Split('\n').Contains($"{node}|{state}|{manager}"));
}
