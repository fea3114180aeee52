using System.Text.Json;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cluster;

/// <summary>Daemons killed in the middle of what makes a node a manager, and what ends that.</summary>
public sealed class RoleCrashTests(ITestOutputHelper output)
{
    /// <summary>A moment: whose daemon is killed, and when, by the traces of the node that changes, before and now.</summary>
    private sealed record Instant(string When, int Victim, Func<NodeTraces, NodeTraces, bool> Is);

    private static readonly Instant[] Promotion =
    [
        new("it was asked for", 1, (_, _) => true),
        new("the leader had it asked for", 0, (_, _) => true),
        new("its certificate is another", 1, (before, now) => now.Certificate != before.Certificate),
        new("its identity is a manager's", 1, (_, now) => now.Role == "manager"),
        new("its journal begins", 1, (_, now) => now.Journal),
        new("its journal has tables", 1, (_, now) => now.Tables),
        new("it was admitted", 1, (before, now) => now.Admissions > before.Admissions),
        new("the leader admitted it", 0, (before, now) => now.Admissions > before.Admissions),
    ];

    private static readonly Instant[] Demotion =
    [
        new("it was asked for", 1, (_, _) => true),
        new("the leader had it asked for", 0, (_, _) => true),
        new("its identity is a worker's", 1, (_, now) => now.Role == "worker"),
        new("its journal is gone", 1, (_, now) => !now.Journal),
        new("its certificate is another", 1, (before, now) => now.Role == "worker" && now.Certificate != before.Certificate),
        new("the leader put it out", 0, (_, now) => now.Role == "worker"),
    ];

    [Fact]
    public async Task A_promotion_and_a_demotion_that_a_crash_breaks_are_finished_after_it()
    {
        await using var world = await ClusterWorld.StartAsync(managers: 1, workers: 1);
        await world.EventuallyAsync("ready/leader ready");
        var node = await world.NodeAsync(1);
        var numbers = new HashSet<ulong>();
        for (var i = 0; i < Math.Max(Promotion.Length, Demotion.Length); i++)
        {
            await BreakAsync(world, Promotion[i % Promotion.Length], "promote", node);
            await StandEventuallyAsync(world, "ready/leader ready/reachable", "ready/reachable ready/leader");
            var up = NodeTraces.Of(world[1]);
            Assert.Equal(("manager", true), (up.Role, up.Tables));
            Assert.True(numbers.Add(up.Number!.Value), "an empty journal began with a number that another one had");

            await BreakAsync(world, Demotion[i % Demotion.Length], "demote", node);
            await StandEventuallyAsync(world, "ready/leader ready");
            await Shell.EventuallyAsync("nothing of a manager", () => Task.FromResult(NodeTraces.Of(world[1])), t => t is { Role: "worker", Number: null, Journal: false });
        }

        // Nobody is left in the consensus who is not there: the manager decides alone.
        await world[1].StopDaemonAsync();
        (await world[0].OrchAsync("node", "update", "--label-add", "decided=alone", await world.NodeAsync(0))).Succeeded();
        await world[1].StartDaemonAsync();
    }

    [Fact]
    public async Task A_join_as_a_manager_that_a_crash_breaks_is_finished_or_never_was()
    {
        await using var world = await ClusterWorld.StartAsync(hosts: 2);
        (await world[0].OrchAsync("swarm", "init")).Succeeded();
        var token = await world.TokenAsync("manager");
        foreach (var instant in Promotion.Where(p => p.Victim == 1))
        {
            var before = NodeTraces.Of(world[1]);
            var joining = world[1].OrchAsync("swarm", "join", "--token", token, $"{world[0].Address}:2377");
            await KillAsync(world, instant, before);
            await joining; // answered, or its daemon gone
            var member = NodeTraces.Of(world[1]).Role is not null;
            output.WriteLine($"join, killed when {instant.When}: {NodeTraces.Of(world[1])}");
            await world[1].StartDaemonAsync();
            if (!member)
            {
                // Before the identity there is nothing here, and in the cluster at most a node that was never heard of.
                var left = NodeTraces.Of(world[1]);
                Assert.Equal((null, null, false), (left.Role, left.Certificate, left.Journal));
                (await world.JoinAsync(1, "manager")).Succeeded();
            }

            await StandEventuallyAsync(world, "ready/leader ready/reachable", "ready/reachable ready/leader");
            var node = await world.NodeAsync(1);
            (await world[1].OrchAsync("swarm", "leave", "--force")).Succeeded();
            var gone = NodeTraces.Of(world[1]);
            Assert.Equal((null, null, null, false), (gone.Role, gone.Number, gone.Certificate, gone.Journal));
            await RemoveOthersAsync(world);
        }
    }

    private async Task BreakAsync(ClusterWorld world, Instant instant, string change, string node)
    {
        var before = NodeTraces.Of(world[1]);
        (await world[0].OrchAsync("node", change, node)).Succeeded();
        await KillAsync(world, instant, before);
        output.WriteLine($"{change}, killed when {instant.When}: {NodeTraces.Of(world[1])}");
        await world[instant.Victim].StartDaemonAsync();
    }

    /// <summary>As soon as it is so, without a step in between that takes long.</summary>
    private static async Task KillAsync(ClusterWorld world, Instant instant, NodeTraces before)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);
        while (!instant.Is(before, NodeTraces.Of(world[1])))
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, limit.Token);
        await world[instant.Victim].KillDaemonAsync();
    }

    private static Task StandEventuallyAsync(ClusterWorld world, params string[] standings) =>
        Shell.EventuallyAsync(string.Join(" or ", standings), () => world.StandingAsync(), standings.Contains);

    /// <summary>Every node but the first, as an operator does it: also those of joins that never came to be.</summary>
    private static async Task RemoveOthersAsync(ClusterWorld world)
    {
        var first = await world.NodeAsync(0);
        // The one that left may have led.
        var nodes = await Shell.EventuallyAsync("the nodes", () => world[0].GetAsync("/nodes"), n => n.ValueKind == JsonValueKind.Array);
        foreach (var node in nodes.EnumerateArray().Select(n => n.GetProperty("ID").GetString()!).Where(n => n != first).ToList())
        {
            await world[0].OrchAsync("node", "demote", node); // or it is a worker already
            await Shell.EventuallyAsync($"{node} removed", () => world[0].OrchAsync("node", "rm", "--force", node), r => r.ExitCode == 0);
        }
    }
}
