namespace Orchestrator.Tests.Integration.Cluster;

public sealed class RoleTests
{
    [Fact]
    public async Task Managers_join_by_token_answer_alike_and_change_roles()
    {
        await using var world = await ClusterWorld.StartAsync(managers: 2, workers: 1);
        await world.EventuallyAsync("ready/leader ready/reachable ready");
        await world.LoadBusyboxAsync();

        // Through a manager that does not lead: written by the leader, and seen here and there at once.
        (await world[1].OrchAsync("service", "create", "--name", "web", "--replicas", "3", "--detach", "busybox", "sleep", "infinity")).Succeeded();
        Assert.Contains("web", (await world[1].OrchAsync("service", "ls")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("web", (await world[0].OrchAsync("service", "ls")).Succeeded().Output, StringComparison.Ordinal);
        await world.SpreadEventuallyAsync("web", "1 1 1", from: 1);

        var worker = await world.NodeAsync(2);
        Assert.Contains("promoted to a manager", (await world[1].OrchAsync("node", "promote", worker)).Succeeded().Output, StringComparison.Ordinal);
        await world.EventuallyAsync("ready/leader ready/reachable ready/reachable");
        await world.EventuallyAsync("ready/leader ready/reachable ready/reachable", from: 2);

        var number = world.Number(0);
        Assert.NotNull(number);

        // The leader itself: it hands over, leaves the consensus and goes on as a worker.
        (await world[2].OrchAsync("node", "demote", await world.NodeAsync(0))).Succeeded();
        await Fixtures.Shell.EventuallyAsync("a leader among the other two", () => world.StandingAsync(from: 2),
            s => s is "ready ready/leader ready/reachable" or "ready ready/reachable ready/leader");
        // It is out of the consensus before it has become a worker.
        await Fixtures.Shell.EventuallyAsync("no manager there", () => world[0].OrchAsync("node", "ls"), r => r.Error.Contains("not a swarm manager", StringComparison.Ordinal));
        await world.SpreadEventuallyAsync("web", "1 1 1", from: 1);
        Assert.False(Directory.Exists($"{world[0].Root}/data/manager"), "the demoted manager kept its journal");
        Assert.Null(world.Number(0));

        // And back.
        (await world[1].OrchAsync("node", "promote", await world.NodeAsync(0))).Succeeded();
        await Fixtures.Shell.EventuallyAsync("three managers", () => world.StandingAsync(from: 0),
            s => s is "ready/reachable ready/leader ready/reachable" or "ready/reachable ready/reachable ready/leader");
        Assert.NotNull(world.Number(0));
        Assert.NotEqual(number, world.Number(0)); // an empty journal is another member's
        Assert.DoesNotContain("\"Member\"", (await world[0].GetAsync("/nodes")).ToString(), StringComparison.Ordinal);
    }
}
