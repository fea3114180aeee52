using System.Text.Json;
using Orchestrator.Tests.Integration.Cli;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cluster;

/// <summary>A cluster's life by the stock client's <c>swarm</c> and <c>node</c> commands alone.</summary>
[Collection("labs")]
public sealed class StockSwarmTests
{
    private static readonly string[] Tls = ["swarm", "ca"];

    [Fact]
    public async Task A_cluster_lives_by_the_stock_clients_commands()
    {
        StockClient.Require();
        await using var lab = await LabCluster.UpAsync(3, "--apart");
        await SaysAsync(lab, "host1", "\"orch swarm init\" or \"orch swarm join\"", "node", "ls");
        var begun = await OkAsync(lab, "host1", "swarm", "init", "--advertise-addr", "eth0");
        var (worker, manager) = (await TokenAsync(lab, "worker"), await TokenAsync(lab, "manager"));
        Assert.Contains($"docker swarm join --token {worker} {lab.Address("host1")}:2377", begun, StringComparison.Ordinal);
        Assert.Equal("This node joined a swarm as a worker.\n", await OkAsync(lab, "host2", "swarm", "join", "--token", worker, $"{lab.Address("host1")}:2377"));
        Assert.Equal("This node joined a swarm as a manager.\n", await OkAsync(lab, "host3", "swarm", "join", "--token", manager, lab.Address("host1"))); // the port left out
        await SaysAsync(lab, "host2", "This node is already part of a swarm.", "swarm", "join", "--token", worker, lab.Address("host1"));
        await SaysAsync(lab, "host2", $"{lab.Address("host1")}:2377", "node", "ls"); // a worker names the managers
        await RowsAsync(lab, "host1 Ready Leader Ready", "host2 Ready  Ready", "host3 Ready Reachable Ready"); // the last: its certificate is the CA's of today

        await RolesAsync(lab);
        await PlansAsync(lab);
        await KeysAsync(lab);
        await LockAsync(lab);
        await LeaveAsync(lab);
    }

    private static async Task RolesAsync(LabCluster lab)
    {
        Assert.Equal("Node host2 promoted to a manager in the swarm.\n", await OkAsync(lab, "host3", "node", "promote", "host2"));
        await RowsAsync(lab, "host1 Ready Leader Ready", "host2 Ready Reachable Ready", "host3 Ready Reachable Ready");
        await Shell.EventuallyAsync("host2 answers as a manager", () => DockerAsync(lab, "host2", "node", "ls", "-q"), r => r.ExitCode == 0);
        await SaysAsync(lab, "host1", "must be demoted to worker before removal", "node", "rm", "--force", "host2");
        Assert.Equal("Manager host2 demoted in the swarm.\n", await OkAsync(lab, "host1", "node", "demote", "host2"));
        await RowsAsync(lab, "host1 Ready Leader Ready", "host2 Ready  Ready", "host3 Ready Reachable Ready");
        Assert.Contains("is already a worker", await OkAsync(lab, "host1", "node", "demote", "host2"), StringComparison.Ordinal);
        await SaysAsync(lab, "host1", "node nope not found", "node", "promote", "nope");
        await SaysAsync(lab, "host1", "is not down and can't be removed", "node", "rm", "host2");
        Assert.Contains("Raft Status:\t\tReachable", await OkAsync(lab, "host1", "node", "inspect", "--pretty", "self"), StringComparison.Ordinal);
    }

    private static async Task PlansAsync(LabCluster lab)
    {
        await OkAsync(lab, "host1", "service", "create", "-d", "--name", "web", "--replicas", "3", "--constraint", "node.labels.zone==a", "busybox", "sleep", "1000");
        await OkAsync(lab, "host1", "node", "update", "--label-add", "zone=a", "--label-add", "odd", "host2");
        await Shell.EventuallyAsync("tasks on host2", () => DockerAsync(lab, "host1", "node", "ps", "host2", "--filter", "desired-state=running", "--format", "{{.CurrentState}}"),
            r => r.Output.Split("Running").Length == 4);
        await OkAsync(lab, "host1", "node", "update", "--label-add", "zone=a", "host3");
        await OkAsync(lab, "host1", "node", "update", "--availability", "drain", "--label-rm", "odd", "host2");
        await Shell.EventuallyAsync("tasks on host3", () => DockerAsync(lab, "host1", "node", "ps", "host3", "--filter", "desired-state=running", "--format", "{{.CurrentState}}"),
            r => r.Output.Split("Running").Length == 4);
        Assert.Equal("""{"Labels":{"zone":"a"},"Role":"worker","Availability":"drain"}""", (await OkAsync(lab, "host1", "node", "inspect", "--format", "{{json .Spec}}", "host2")).Trim());
        await SaysAsync(lab, "host1", "Availability can't be \"asleep\"", "node", "update", "--availability", "asleep", "host2");
        await OkAsync(lab, "host1", "node", "update", "--availability", "active", "host2");
        Assert.Equal("host2\n", await OkAsync(lab, "host1", "node", "ls", "--filter", "role=worker", "--format", "{{.Hostname}}"));
        Assert.Equal("host2\n", await OkAsync(lab, "host1", "node", "ls", "--filter", "name=host2", "--format", "{{.Hostname}}"));
        await SaysAsync(lab, "host1", "invalid filter 'colour'", "node", "ls", "--filter", "colour=red");
        await OkAsync(lab, "host1", "service", "rm", "web");
    }

    private static async Task KeysAsync(LabCluster lab)
    {
        var before = await OkAsync(lab, "host1", Tls);
        await OkAsync(lab, "host1", "swarm", "ca", "--rotate", "--quiet");
        var after = await OkAsync(lab, "host3", Tls);
        Assert.NotEqual(before, after);
        await RowsAsync(lab, "host1 Ready Leader Ready", "host2 Ready  Ready", "host3 Ready Reachable Ready");
        await SaysAsync(lab, "host1", "an external CA is not supported", "swarm", "update", "--external-ca", "protocol=cfssl,url=https://ca.example");
        await SaysAsync(lab, "host1", "node certificates must be valid for at least", "swarm", "update", "--cert-expiry", "10m");
        var rotated = (await OkAsync(lab, "host3", "swarm", "join-token", "--rotate", "-q", "worker")).Trim();
        Assert.Equal(rotated, await TokenAsync(lab, "worker"));
        await OkAsync(lab, "host1", "swarm", "update", "--task-history-limit", "3", "--cert-expiry", "720h", "--dispatcher-heartbeat", "2s", "--snapshot-interval", "500");
        using var info = JsonDocument.Parse(await OkAsync(lab, "host3", "info", "--format", "{{json .Swarm.Cluster.Spec}}"));
        Assert.Equal(3, info.RootElement.GetProperty("Orchestration").GetProperty("TaskHistoryRetentionLimit").GetInt32());
        Assert.Equal(2_000_000_000, info.RootElement.GetProperty("Dispatcher").GetProperty("HeartbeatPeriod").GetInt64());
        await OkAsync(lab, "host1", "swarm", "update", "--dispatcher-heartbeat", "1s");
    }

    private static async Task LockAsync(LabCluster lab)
    {
        await SaysAsync(lab, "host1", "no unlock key is set", "swarm", "unlock-key");
        await SaysAsync(lab, "host1", "swarm is not locked", "swarm", "unlock");
        Assert.Contains("SWMKEY-1-", await OkAsync(lab, "host1", "swarm", "update", "--autolock"), StringComparison.Ordinal);
        var former = (await OkAsync(lab, "host3", "swarm", "unlock-key", "-q")).Trim();
        var key = (await OkAsync(lab, "host3", "swarm", "unlock-key", "--rotate", "-q")).Trim();
        Assert.NotEqual(former, key);
        await lab.RestartDaemonsAsync("host3");
        await SaysAsync(lab, "host3", "unlock", "node", "ls");
        Assert.Equal("locked\n", await OkAsync(lab, "host3", "info", "--format", "{{.Swarm.LocalNodeState}}"));
        var wrong = await Shell.RunAsync("docker", ["-H", $"unix://{lab.Socket("host3")}", "swarm", "unlock"], former + "\n");
        Assert.True(wrong.ExitCode == 1, $"{wrong}");
        (await Shell.RunAsync("docker", ["-H", $"unix://{lab.Socket("host3")}", "swarm", "unlock"], key + "\n")).Succeeded();
        await Shell.EventuallyAsync(
            "three nodes, two of them managers, whichever leads", () => DockerAsync(lab, "host1", "node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.ManagerStatus}}"),
            r => r.Output.Replace("Leader", "Reachable", StringComparison.Ordinal).TrimEnd().Split('\n').Order(StringComparer.Ordinal)
                .SequenceEqual(["host1 Ready Reachable", "host2 Ready ", "host3 Ready Reachable"]));
        await OkAsync(lab, "host1", "swarm", "update", "--autolock=false");
        await SaysAsync(lab, "host1", "no unlock key is set", "swarm", "unlock-key");
    }

    private static async Task LeaveAsync(LabCluster lab)
    {
        // A node that said farewell is down from then on: it can be removed at once, without waiting for its silence to be noticed.
        Assert.Equal("Node left the swarm.\n", await OkAsync(lab, "host2", "swarm", "leave"));
        Assert.Equal("Down\n", await OkAsync(lab, "host1", "node", "ls", "--filter", "name=host2", "--format", "{{.Status}}"));
        Assert.Equal("host2\n", await OkAsync(lab, "host1", "node", "rm", "host2"));
        await SaysAsync(lab, "host3", "participating as a manager", "swarm", "leave");
        await OkAsync(lab, "host3", "swarm", "leave", "--force");
        Assert.Equal("Down\n", await OkAsync(lab, "host1", "node", "ls", "--filter", "name=host3", "--format", "{{.Status}}"));
        Assert.Equal("host3\n", await OkAsync(lab, "host1", "node", "rm", "host3"));
        await SaysAsync(lab, "host1", "the last manager of its swarm", "swarm", "leave");
        await OkAsync(lab, "host1", "swarm", "leave", "--force");
        Assert.Equal("inactive\n", await OkAsync(lab, "host1", "info", "--format", "{{.Swarm.LocalNodeState}}"));
        await SaysAsync(lab, "host1", "This node is not part of a swarm.", "swarm", "leave");
    }

    private static Task<Ran> DockerAsync(LabCluster lab, string host, params string[] command) => Shell.RunAsync("docker", ["-H", $"unix://{lab.Socket(host)}", .. command]);

    private static async Task<string> OkAsync(LabCluster lab, string host, params string[] command) => (await DockerAsync(lab, host, command)).Succeeded().Output;

    private static async Task SaysAsync(LabCluster lab, string host, string sentence, params string[] command)
    {
        var ran = await DockerAsync(lab, host, command);
        Assert.NotEqual(0, ran.ExitCode);
        Assert.Contains(sentence, ran.Error, StringComparison.Ordinal);
    }

    /// <summary>What host1 says of every node: name, state, standing as a manager, certificate.</summary>
    private static Task RowsAsync(LabCluster lab, params string[] rows) => Shell.EventuallyAsync(
        "the nodes", () => DockerAsync(lab, "host1", "node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.ManagerStatus}} {{.TLSStatus}}"),
        r => r.Output.TrimEnd().Split('\n').Order(StringComparer.Ordinal).SequenceEqual(rows));

    private static async Task<string> TokenAsync(LabCluster lab, string role) => (await OkAsync(lab, "host1", "swarm", "join-token", "-q", role)).Trim();
}
