namespace Orchestrator.Tests.Integration.Cluster;

public sealed class JoinTests
{
    [Fact]
    public async Task A_worker_joins_and_a_service_spreads_over_both()
    {
        await using var world = await ClusterWorld.StartAsync(hosts: 2);
        var begun = (await world[0].OrchAsync("swarm", "init")).Succeeded().Output;
        Assert.Contains($"orch swarm join --token {await world.TokenAsync("worker")} {world[0].Address}:2377", begun, StringComparison.Ordinal);
        Assert.Equal("This node joined a swarm as a worker.", (await world.JoinAsync(1, "worker")).Succeeded().Output.Trim());
        await world.EventuallyAsync("ready/leader ready");
        await world.LoadBusyboxAsync();
        (await world[0].OrchAsync("service", "create", "--name", "web", "--replicas", "4", "--detach", "busybox", "sleep", "infinity")).Succeeded();
        await world.SpreadEventuallyAsync("web", "2 2");
        var refused = await world[1].OrchAsync("service", "ls");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("This node is not a swarm manager.", refused.Error, StringComparison.Ordinal);
        Assert.Contains($"{world[0].Address}:2377", refused.Error, StringComparison.Ordinal);
    }
}
