using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Lab;

/// <summary><c>orch lab up</c> ends with one cluster of all hosts, which outlives what the lab does to single ones.</summary>
public sealed class ClusterTests
{
    [Fact]
    public async Task A_labs_hosts_are_one_cluster_that_another_host_leads_when_the_leader_is_cut_off_or_without_power()
    {
        await using var lab = await LabCluster.UpAsync(4);
        Assert.Equal(
            ["host1 leader ready", "host2 manager ready", "host3 manager ready", "host4 worker ready"],
            (await lab.LabAsync("ls", "--format", "{{.Host}} {{.Role}} {{.Status}}")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal("host1", await lab.LeaderAsync("host3"));

        await lab.CutAsync("host1");
        var second = await Shell.EventuallyAsync("a leader among the others", () => lab.LeaderAsync("host3"), l => l is "host2" or "host3");
        await Shell.EventuallyAsync("host1 counted as down", () => StatusAsync(lab, second!, "host1"), s => s == "down");
        await lab.HealAsync();
        await Shell.EventuallyAsync("host1 back", () => StatusAsync(lab, "host1", "host1"), s => s == "ready");

        await lab.PowerOffAsync(second!);
        var survivor = second == "host2" ? "host3" : "host2";
        var third = await Shell.EventuallyAsync("a leader among those with power", () => lab.LeaderAsync(survivor), l => l is not null && l != second);
        await lab.PowerOnAsync();
        await Shell.EventuallyAsync($"{second} back", () => StatusAsync(lab, third!, second!), s => s == "ready");
        Assert.Equal("4", (await lab.OrchAsync(second!, "info", "--format", "{{.Swarm.Nodes}}")).Succeeded().Output.Trim());
    }

    private static async Task<string?> StatusAsync(LabCluster lab, string asked, string host)
    {
        var nodes = await lab.GetAsync(asked, "/nodes");
        return nodes.ValueKind != System.Text.Json.JsonValueKind.Array ? null : nodes.EnumerateArray()
            .Where(n => n.GetProperty("Description").GetProperty("Hostname").GetString() == host)
            .Select(n => n.GetProperty("Status").GetProperty("State").GetString()).FirstOrDefault();
    }
}
