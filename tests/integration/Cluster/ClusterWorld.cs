using System.Text.Json;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cluster;

/// <summary>Several hosts on one switch, and what a cluster of them is asked.</summary>
internal sealed class ClusterWorld : IAsyncDisposable
{
    private readonly HostSwitch _wire;

    private ClusterWorld(HostSwitch wire) => _wire = wire;

    internal List<OrchHost> Hosts { get; } = [];

    internal OrchHost this[int host] => Hosts[host];

    /// <summary>Hosts that are in no cluster yet.</summary>
    internal static async Task<ClusterWorld> StartAsync(int hosts)
    {
        Assert.SkipWhen(OrchHost.Obstacle is not null, OrchHost.Obstacle ?? "");
        var world = new ClusterWorld(await HostSwitch.StartAsync());
        try
        {
            for (var i = 0; i < hosts; i++)
                world.Hosts.Add(await OrchHost.StartAsync(world._wire));
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>A cluster of so many managers and workers, in that order.</summary>
    internal static async Task<ClusterWorld> StartAsync(int managers, int workers)
    {
        var world = await StartAsync(managers + workers);
        try
        {
            (await world[0].OrchAsync("swarm", "init")).Succeeded();
            for (var i = 1; i < managers + workers; i++)
                (await world.JoinAsync(i, i < managers ? "manager" : "worker")).Succeeded();
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>Joins by a token that the first host gives.</summary>
    internal async Task<Ran> JoinAsync(int host, string role, int through = 0) =>
        await this[host].OrchAsync("swarm", "join", "--token", await TokenAsync(role, through), $"{this[through].Address}:2377");

    internal async Task<string> TokenAsync(string role, int from = 0) =>
        (await this[from].OrchAsync("swarm", "join-token", "-q", role)).Succeeded().Output.Trim();

    /// <summary>Gives every host the image that services run.</summary>
    internal async Task LoadBusyboxAsync()
    {
        var archive = Path.Combine(this[0].Root, "busybox.tar");
        await File.WriteAllBytesAsync(archive, TestImages.Busybox());
        foreach (var host in Hosts)
            (await host.OrchAsync("load", "-i", archive)).Succeeded();
    }

    /// <summary>The node's id as its host tells.</summary>
    internal async Task<string> NodeAsync(int host) => (await this[host].GetAsync("/info")).GetProperty("Swarm").GetProperty("NodeID").GetString()!;

    /// <summary>The number that a host's manager has in the consensus; null: it is none.</summary>
    internal ulong? Number(int host)
    {
        using var identity = JsonDocument.Parse(File.ReadAllBytes($"{this[host].Root}/data/swarm/node.json"));
        return identity.RootElement.TryGetProperty("Member", out var number) && number.ValueKind == JsonValueKind.Number ? number.GetUInt64() : null;
    }

    /// <summary>What one manager says of every node: its state and its standing as a manager, by host.</summary>
    internal async Task<string> StandingAsync(int from = 0)
    {
        var nodes = await this[from].GetAsync("/nodes");
        if (nodes.ValueKind != JsonValueKind.Array)
            return nodes.ToString();
        var by = nodes.EnumerateArray().ToDictionary(n => n.GetProperty("ID").GetString()!, Words);
        var ordered = new List<string>();
        for (var i = 0; i < Hosts.Count; i++)
            ordered.Add(by.GetValueOrDefault(await NodeAsync(i), "-"));
        return string.Join(" ", ordered);
    }

    internal Task<string> EventuallyAsync(string standing, int from = 0) =>
        Shell.EventuallyAsync($"the nodes as '{standing}'", () => StandingAsync(from), s => s == standing);

    /// <summary>Nodes on which a service's tasks run, by host, so many on each.</summary>
    internal async Task<string> SpreadAsync(string service, int from = 0)
    {
        var filter = Uri.EscapeDataString($$"""{"service":["{{service}}"],"desired-state":["running"]}""");
        var tasks = await this[from].GetAsync($"/tasks?filters={filter}");
        if (tasks.ValueKind != JsonValueKind.Array)
            return tasks.ToString();
        var running = tasks.EnumerateArray().Where(t => t.GetProperty("Status").GetProperty("State").GetString() == "running")
            .Select(t => t.GetProperty("NodeID").GetString()).ToList();
        var counts = new List<int>();
        for (var i = 0; i < Hosts.Count; i++)
        {
            var node = await NodeAsync(i);
            counts.Add(running.Count(n => n == node));
        }

        return string.Join(" ", counts);
    }

    internal Task<string> SpreadEventuallyAsync(string service, string spread, int from = 0) =>
        Shell.EventuallyAsync($"the tasks of {service} as '{spread}'", () => SpreadAsync(service, from), s => s == spread);

    internal Task CutAsync(int host) => _wire.CutAsync(this[host].Link);

    internal Task HealAsync(int host) => _wire.HealAsync(this[host].Link);

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Task.WhenAll(Hosts.Select(h => h.DisposeAsync().AsTask()));
        }
        finally
        {
            await _wire.DisposeAsync();
        }
    }

    private static string Words(JsonElement node)
    {
        var state = node.GetProperty("Status").GetProperty("State").GetString();
        if (!node.TryGetProperty("ManagerStatus", out var manager))
            return state!;
        return manager.TryGetProperty("Leader", out var leads) && leads.GetBoolean()
            ? $"{state}/leader"
            : $"{state}/{manager.GetProperty("Reachability").GetString()}";
    }
}
