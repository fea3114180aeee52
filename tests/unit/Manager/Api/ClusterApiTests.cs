using System.Text;
using Orchestrator.Manager.Api;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Tests.Unit.Manager.Api;

public sealed class ClusterApiTests
{
    private static readonly Service Web = Cluster.Service("web111", "shop_web", 3, "com.docker.stack.namespace=shop");
    private static readonly Service Db = Cluster.Service("dbb222", "shop_db", 1, "com.docker.stack.namespace=shop");
    private static readonly Service Agent = Cluster.Service("agt333", "agent") with { Spec = new ServiceSpec { Name = "agent", Mode = new ServiceMode { Global = new GlobalMode() } } };

    private static FakeNode Node() => new()
    {
        Current = Cluster.State(
            [Web, Db, Agent],
            [Cluster.Task("t1", Web, 1), Cluster.Task("t2", Web, 2, TaskState.Failed, TaskState.Shutdown), Cluster.Task("t3", Web, 2), Cluster.Task("t4", Db, 1, TaskState.Preparing)]),
    };

    [Theory]
    [InlineData("GET", "/swarm")]
    [InlineData("GET", "/nodes")]
    [InlineData("GET", "/services")]
    [InlineData("GET", "/services/x")]
    [InlineData("POST", "/services/create")]
    [InlineData("GET", "/tasks")]
    [InlineData("GET", "/secrets")]
    [InlineData("GET", "/configs/x")]
    [InlineData("GET", "/orch/stacks")]
    [InlineData("PUT", "/orch/stacks/x")]
    public async Task A_node_that_is_no_manager_says_what_to_do(string method, string path)
    {
        var call = await new FakeNode { IsManager = false }.SendAsync(method, path, "{}");
        Assert.Equal(503, call.Status);
        Assert.Contains("orch swarm init", call.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/nodes")]
    [InlineData("/nodes/m")]
    public async Task A_managers_number_in_the_consensus_is_never_shown(string path)
    {
        var node = new Node { Id = new("m"), Spec = new() { Role = NodeRole.Manager }, ManagerStatus = new() { Addr = "a:1", Member = 7 } };
        var fake = new FakeNode { Current = ClusterState.Empty with { Swarm = new() { Id = "swarm" }, Nodes = ClusterState.Empty.Nodes.Add(node.Id, node) } };
        var call = await fake.SendAsync("GET", path);
        Assert.Contains("a:1", call.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Member", call.Text, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(RefusalKind.Invalid, 400)]
    [InlineData(RefusalKind.NotFound, 404)]
    [InlineData(RefusalKind.Conflict, 409)]
    [InlineData(RefusalKind.OutOfSequence, 500)]
    internal async Task A_refusal_becomes_its_status_with_every_problem(RefusalKind kind, int status)
    {
        var node = Node();
        node.Answer = new Outcome(9, new Refusal(kind, [new Problem("Name", "taken"), new Problem("", "full")]));
        var call = await node.SendAsync("POST", "/services/create", """{"Name":"x"}""");
        Assert.Equal(status, call.Status);
        Assert.Equal("Name: taken; full", call.Json.GetProperty("message").GetString());
        Assert.Equal(2, call.Json.GetProperty("Problems").GetArrayLength());
    }

    [Theory]
    [InlineData("", "agt333 dbb222 web111")]
    [InlineData("""{"name":["shop_"]}""", "dbb222 web111")]
    [InlineData("""{"id":["we"]}""", "web111")]
    [InlineData("""{"label":["com.docker.stack.namespace=shop"],"name":["shop_d"]}""", "dbb222")]
    [InlineData("""{"mode":["global"]}""", "agt333")]
    public async Task Services_are_filtered(string filters, string ids)
    {
        var call = await Node().SendAsync("GET", $"/services?filters={Uri.EscapeDataString(filters)}");
        Assert.Equal(ids, string.Join(' ', call.Json.EnumerateArray().Select(s => s.GetProperty("ID").GetString())));
    }

    [Fact]
    public async Task Status_counts_are_joined_in_when_asked_for()
    {
        var status = (await Node().SendAsync("GET", "/services?status=true")).Json.EnumerateArray()
            .Single(s => s.GetProperty("ID").GetString() == "web111").GetProperty("ServiceStatus");
        Assert.Equal((2, 3), (status.GetProperty("RunningTasks").GetInt32(), status.GetProperty("DesiredTasks").GetInt32()));
        Assert.DoesNotContain("ServiceStatus", (await Node().SendAsync("GET", "/services")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Defaults_are_shown_only_when_asked_for()
    {
        Assert.DoesNotContain("RestartPolicy", (await Node().SendAsync("GET", "/services/agent?insertDefaults=false")).Text, StringComparison.Ordinal);
        var spec = (await Node().SendAsync("GET", "/services/agent?insertDefaults=true")).Json.GetProperty("Spec");
        Assert.Equal("any", spec.GetProperty("TaskTemplate").GetProperty("RestartPolicy").GetProperty("Condition").GetString());
        Assert.Equal(5_000_000_000, spec.GetProperty("TaskTemplate").GetProperty("RestartPolicy").GetProperty("Delay").GetInt64());
        Assert.Equal("vip", spec.GetProperty("EndpointSpec").GetProperty("Mode").GetString());
    }

    [Fact]
    public async Task A_service_that_is_being_removed_is_gone()
    {
        var node = new FakeNode { Current = Cluster.State([Web with { PendingDelete = true }]) };
        Assert.Equal(404, (await node.SendAsync("GET", "/services/shop_web")).Status);
        Assert.Empty((await node.SendAsync("GET", "/services")).Json.EnumerateArray());
        Assert.Empty((await node.SendAsync("GET", "/orch/stacks")).Json.EnumerateArray());
    }

    [Fact]
    public async Task An_update_names_id_version_and_rollback()
    {
        var node = Node();
        Assert.Equal(200, (await node.SendAsync("POST", "/services/shop_web/update?version=5&rollback=previous", """{"Name":"shop_web"}""")).Status);
        var update = Assert.IsType<UpdateService>(Assert.Single(node.Proposed));
        Assert.Equal((Web.Id, 5UL, true), (update.Id, update.Version, update.Rollback));
        Assert.Equal(400, (await node.SendAsync("POST", "/services/shop_web/update", """{"Name":"shop_web"}""")).Status);
        Assert.Equal(400, (await node.SendAsync("POST", "/services/shop_web/update?version=5&rollback=next", "{}")).Status);
    }

    [Fact]
    public async Task A_spec_that_asks_for_something_unknown_is_refused_with_its_path()
    {
        var node = Node();
        var call = await node.SendAsync("POST", "/services/create", """{"Name":"x","TaskTemplate":{"PluginSpec":{"Name":"p"}}}""");
        Assert.Equal(400, call.Status);
        Assert.Contains("TaskTemplate.PluginSpec", call.Text, StringComparison.Ordinal);
        Assert.Empty(node.Proposed);
    }

    [Theory]
    [InlineData("""{"service":["shop_web"]}""", "t1 t2 t3")]
    [InlineData("""{"service":["shop_web"],"desired-state":["running"]}""", "t1 t3")]
    [InlineData("""{"desired-state":["shutdown"]}""", "t2")]
    [InlineData("""{"label":["com.docker.stack.namespace=shop"],"name":["shop_db.1"]}""", "t4")]
    [InlineData("""{"node":["self"],"id":["t4"]}""", "t4")]
    [InlineData("""{"node":["other"]}""", "")]
    [InlineData("""{"service":["nobody"]}""", "")]
    [InlineData("""{"_up-to-date":["true"],"service":["shop_db"]}""", "t4")]
    [InlineData("""{"_up-to-date":["false"],"service":["shop_db"]}""", "")]
    public async Task Tasks_are_filtered(string filters, string ids)
    {
        var call = await Node().SendAsync("GET", $"/tasks?filters={Uri.EscapeDataString(filters)}");
        Assert.Equal(ids, string.Join(' ', call.Json.EnumerateArray().Select(s => s.GetProperty("ID").GetString())));
    }

    [Fact]
    public async Task A_task_always_shows_a_container_spec_and_its_networks()
    {
        var network = new Network { Id = new NetworkId("net1"), Name = "shop_default" };
        var task = Cluster.Task("t9", Agent, 0) with { Spec = new TaskSpec(), NetworksAttachments = [new NetworkAttachment { NetworkId = network.Id, Addresses = ["10.0.1.3/24"] }] };
        var shown = (await new FakeNode { Current = Cluster.State([Agent], [task], [network]) }.SendAsync("GET", "/tasks/t9")).Json;
        Assert.Equal(System.Text.Json.JsonValueKind.Object, shown.GetProperty("Spec").GetProperty("ContainerSpec").ValueKind);
        Assert.Equal("shop_default", shown.GetProperty("NetworksAttachments")[0].GetProperty("Network").GetProperty("Name").GetString());
    }

    [Fact]
    public async Task A_task_is_found_by_slot_name_among_those_wanted()
    {
        Assert.Equal("t3", (await Node().SendAsync("GET", "/tasks/shop_web.2")).Json.GetProperty("ID").GetString());
        Assert.Equal("t2", (await Node().SendAsync("GET", "/tasks/shop_web.2.t2")).Json.GetProperty("ID").GetString());
    }

    [Fact]
    public async Task A_deploy_that_changes_nothing_is_answered_and_not_written_down()
    {
        const string Stack = """{"Services":[{"Name":"a_x","Labels":{"com.docker.stack.namespace":"a"},"TaskTemplate":{"ContainerSpec":{"Image":"i"}}}],"Configs":[{"Name":"a_c","Data":"b3Blbg==","Labels":{"com.docker.stack.namespace":"a"}}]}""";
        var deployed = new FakeNode { Current = Cluster.State() };
        Assert.Equal(200, (await deployed.SendAsync("PUT", "/orch/stacks/a", Stack)).Status);
        deployed.Current = Orchestrator.Manager.State.Apply.Applying.Run(deployed.Current, deployed.Current.Index + 1, Assert.Single(deployed.Proposed)).State;
        var again = await deployed.SendAsync("PUT", "/orch/stacks/a", Stack);
        Assert.Equal(["unchanged", "unchanged"], again.Json.GetProperty("Changes").EnumerateArray().Select(c => c.GetProperty("Action").GetString()));
        Assert.Single(deployed.Proposed);
        await deployed.SendAsync("PUT", "/orch/stacks/a", Stack.Replace("\"i\"", "\"j\"", StringComparison.Ordinal));
        Assert.Equal(2, deployed.Proposed.Count);
    }

    [Fact]
    public async Task A_stack_is_one_command_with_an_id_for_each_object()
    {
        var node = Node();
        node.Answer = new Outcome(7, null, new StackReply { Changes = [new StackChange("service", "a_x", "id", "created")] });
        var call = await node.SendAsync("PUT", "/orch/stacks/a", """{"Networks":[{"Name":"a_default"}],"Services":[{"Name":"a_x"},{"Name":"a_y"}],"Prune":true}""");
        Assert.Equal(200, call.Status);
        var deploy = Assert.IsType<DeployStack>(Assert.Single(node.Proposed));
        Assert.Equal(("a", 1, 2, true), (deploy.Name, deploy.NetworkIds.Count, deploy.ServiceIds.Distinct().Count(), deploy.Spec.Prune));
        Assert.Equal("a_x", call.Json.GetProperty("Changes")[0].GetProperty("Name").GetString());
    }

    [Fact]
    public async Task Stacks_are_listed_and_removed_by_their_label()
    {
        var node = Node();
        var row = Assert.Single((await node.SendAsync("GET", "/orch/stacks")).Json.EnumerateArray());
        Assert.Equal(("shop", 2), (row.GetProperty("Name").GetString(), row.GetProperty("Services").GetInt32()));
        Assert.Equal(404, (await node.SendAsync("DELETE", "/orch/stacks/none")).Status);
        Assert.Equal(200, (await node.SendAsync("DELETE", "/orch/stacks/shop")).Status);
        Assert.Equal([Db.Id, Web.Id], node.Proposed.Cast<RemoveService>().Select(r => r.Id));
    }

    [Fact]
    public async Task Networks_of_cluster_and_host_are_one_list()
    {
        var node = new FakeNode { Current = Cluster.State(networks: [new Network { Id = new NetworkId("net1"), Name = "front" }]) };
        Assert.Equal(201, (await node.SendAsync("POST", "/networks/create", """{"Name":"lan","Driver":"bridge"}""")).Status);
        Assert.Empty(node.Proposed);
        Assert.Equal(201, (await node.SendAsync("POST", "/networks/create", """{"Name":"back","Driver":"overlay"}""")).Status);
        Assert.IsType<CreateNetwork>(Assert.Single(node.Proposed));
        Assert.Equal(["front", "lan"], (await node.SendAsync("GET", "/networks")).Json.EnumerateArray().Select(n => n.GetProperty("Name").GetString()!));
        Assert.Equal(409, (await node.SendAsync("POST", "/networks/create", """{"Name":"front","Driver":"bridge"}""")).Status);
        Assert.Equal(204, (await node.SendAsync("DELETE", "/networks/lan")).Status);
        Assert.Equal(404, (await node.SendAsync("GET", "/networks/lan")).Status);
        Assert.Equal(200, (await node.SendAsync("GET", "/networks/ne")).Status);
    }

    [Fact]
    public async Task Service_logs_are_merged_by_time_and_name_their_task()
    {
        var node = Node();
        LogRecord Line(int second, string text) => new() { Time = DateTimeOffset.UnixEpoch.AddSeconds(second), Stream = "stdout", Line = Encoding.UTF8.GetBytes(text) };
        node.Logs[new TaskId("t1")] = [Line(1, "one\n"), Line(4, "four\n")];
        node.Logs[new TaskId("t2")] = [Line(2, "two\n")];
        node.Logs[new TaskId("t3")] = [Line(3, "three\n")];
        var call = await node.SendAsync("GET", "/services/shop_web/logs?stdout=1&details=1");
        var lines = call.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["one", "two", "three", "four"], lines.Select(l => l[(l.LastIndexOf(' ') + 1)..]));
        Assert.Contains("com.docker.swarm.task.id=t2", lines[1], StringComparison.Ordinal);
        Assert.Equal("application/vnd.docker.multiplexed-stream", call.Headers["Content-Type"]);
        Assert.Equal(400, (await node.SendAsync("GET", "/services/shop_web/logs")).Status);
    }

    [Fact]
    public async Task A_log_that_cannot_be_read_does_not_hide_the_others()
    {
        var node = Node();
        node.Logs[new TaskId("t1")] = [new LogRecord { Time = DateTimeOffset.UnixEpoch, Stream = "stdout", Line = "fine\n"u8.ToArray() }];
        var call = await node.SendAsync("GET", "/services/shop_web/logs?stdout=1&stderr=1");
        Assert.Contains("fine", call.Text, StringComparison.Ordinal);
        Assert.Contains("Error grabbing logs: warning: incomplete log stream. some logs could not be retrieved for the following reasons: task shop_web.2.t2: gone", call.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Changes_are_told_as_events()
    {
        static EventMessage? Of(ChangeKind kind, object? before, object? after) => ClusterEvents.Of(new StateChange(ClusterState.Empty, kind, before, after));
        Assert.Equal("create", Of(ChangeKind.Created, null, Web)!.Action);
        var scaled = Web with { Spec = Web.Spec with { Mode = new ServiceMode { Replicated = new ReplicatedMode { Replicas = 5 } } } };
        var update = Of(ChangeKind.Updated, Web, scaled)!;
        Assert.Equal(("update", "3", "5", "swarm"), (update.Action, update.Actor.Attributes["replicas.old"], update.Actor.Attributes["replicas.new"], update.Scope));
        Assert.Equal("remove", Of(ChangeKind.Updated, Web, Web with { PendingDelete = true })!.Action);
        Assert.Null(Of(ChangeKind.Removed, Web with { PendingDelete = true }, null)); // told already
        Assert.Null(Of(ChangeKind.Updated, Web, Web with { UpdatedAt = DateTimeOffset.UnixEpoch }));
        Assert.Null(Of(ChangeKind.Created, null, Cluster.Task("t", Web, 1)));
    }
}
