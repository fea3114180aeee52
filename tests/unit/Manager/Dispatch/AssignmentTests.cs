using Orchestrator.Manager.Dispatch;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Tests.Unit.Manager.Dispatch;

public sealed class AssignmentTests
{
    private static readonly NodeId Node = new("node-1");
    private readonly Scene scene = new();
    private Told told = Told.Nothing;

    [Fact]
    public void The_first_message_is_the_whole_set()
    {
        scene.Network("front");
        scene.Create(Scene.On(Scene.Spec("web", 2), "front"));
        scene.Settle();
        var message = Next()!;
        Assert.True(message.Complete);
        Assert.Equal(1ul, message.Sequence);
        Assert.Equal(2, message.Tasks.Count);
        Assert.Equal(["front"], message.Networks!.Select(n => n.Name));
        Assert.NotNull(message.Endpoints);
        Assert.Null(Next());
    }

    [Fact]
    public void Many_changes_are_one_message_and_own_reports_are_none()
    {
        var id = scene.Create(Scene.Spec("web", 3));
        scene.Settle();
        Next();
        scene.Report(scene.Tasks[0], TaskState.Preparing);
        Assert.Null(Next());
        scene.Update(id, s => s with { Mode = new() { Replicated = new() { Replicas = 1 } } });
        scene.Settle();
        var message = Next()!;
        Assert.False(message.Complete);
        Assert.Equal(2ul, message.Sequence);
        Assert.Equal([2, 3], message.Tasks.Select(t => t.Task.Slot).Order());
        Assert.Null(message.Networks);
    }

    [Fact]
    public void A_task_that_was_forgotten_is_removed_from_its_node()
    {
        var id = scene.Create(Scene.Spec("web"));
        scene.Settle();
        Next();
        var task = scene.Tasks[0].Id;
        scene.Do(new RemoveService(id) { At = scene.Now });
        scene.Settle();
        Next();
        scene.Obey();
        scene.Settle();
        Assert.Equal([task], Next()!.RemovedTasks);
    }

    [Fact]
    public void Names_and_backends_are_those_of_tasks_that_run_and_are_meant_to()
    {
        var network = scene.Network("front");
        var spec = Scene.Publishing(Scene.On(Scene.Spec("web", 2), "front"), new PortConfig { TargetPort = 80, PublishedPort = 8080 });
        spec = spec with { TaskTemplate = spec.TaskTemplate with { Networks = [new() { Target = "front", Aliases = ["site"] }] } };
        var id = scene.Create(spec);
        scene.Settle();
        var empty = Next()!.Endpoints!;
        Assert.Equal([], Addresses(empty, "web"));
        Assert.Equal([], empty.Ports.Single().Backends);
        scene.Obey();
        var table = Next()!.Endpoints!;
        foreach (var name in new[] { "web", "tasks.web", "site", "tasks.site" })
            Assert.Equal(["10.0.1.2", "10.0.1.3"], Addresses(table, name));
        Assert.Equal(["10.0.1.2"], Addresses(table, scene.Tasks.Single(t => t.NetworksAttachments[0].Addresses[0] == "10.0.1.2/24").Name!));
        Assert.All(table.Names, n => Assert.Equal(network, n.NetworkId));
        var port = table.Ports.Single();
        Assert.Equal((8080, 80, "tcp", 2), (port.PublishedPort, port.TargetPort, port.Protocol, port.Backends.Count));

        scene.Update(id, s => s with { Mode = new() { Replicated = new() { Replicas = 1 } } });
        scene.Settle();
        Assert.Single(Next()!.Endpoints!.Ports.Single().Backends); // before the container stops, not after
    }

    [Fact]
    public void Until_hosts_share_networks_a_node_is_led_to_its_own_tasks_and_holds_every_port()
    {
        scene.Do(new JoinNode(Scene.NodeOf(2)) { At = scene.Now });
        scene.Network("front");
        scene.Create(Scene.Publishing(Scene.On(Scene.Spec("web", 2), "front"), new PortConfig { TargetPort = 80, PublishedPort = 8080 }));
        var one = Scene.Publishing(Scene.On(Scene.Spec("one"), "front"), new PortConfig { TargetPort = 80, PublishedPort = 8081 });
        scene.Create(one with { TaskTemplate = one.TaskTemplate with { Placement = new() { Constraints = ["node.hostname==host-2"] } } });
        scene.Settle();
        scene.Obey();
        var own = scene.Tasks.Single(t => t.ServiceName == "web" && t.NodeId == Node).NetworksAttachments[0].Addresses[0].Split('/')[0];
        var table = Next()!.Endpoints!;
        Assert.Equal([own], Addresses(table, "web"));
        Assert.Equal([own], table.Ports.Single(p => p.PublishedPort == 8080).Backends);
        Assert.Empty(table.Ports.Single(p => p.PublishedPort == 8081).Backends);
        Assert.Empty(Addresses(table, "one"));
    }

    [Fact]
    public void A_node_hears_of_its_own_tasks_only()
    {
        scene.Do(new JoinNode(Scene.NodeOf(2)) { At = scene.Now });
        scene.Create(Scene.Spec("web", 4));
        scene.Settle();
        Assert.All(Next()!.Tasks, t => Assert.Equal(Node, t.Task.NodeId));
    }

    [Fact]
    public void A_report_about_somebody_elses_task_changes_nothing()
    {
        scene.Create(Scene.Spec("web"));
        scene.Settle();
        scene.Report(scene.Tasks[0], TaskState.Running, new("node-2"));
        Assert.Equal(TaskState.Assigned, scene.Tasks[0].Status.State);
    }

    [Fact]
    public void A_state_that_was_reached_is_never_left_backwards()
    {
        scene.Create(Scene.Spec("web"));
        scene.Settle();
        scene.Report(scene.Tasks[0], TaskState.Running);
        scene.Report(scene.Tasks[0], TaskState.Starting);
        Assert.Equal(TaskState.Running, scene.Tasks[0].Status.State);
        scene.Report(scene.Tasks[0], TaskState.Complete);
        scene.Report(scene.Tasks[0], TaskState.Failed);
        Assert.Equal(TaskState.Complete, scene.Tasks[0].Status.State);
    }

    [Fact]
    public void A_node_is_told_of_the_managers_and_its_role_once_and_when_they_change()
    {
        scene.Do(new JoinNode(Scene.NodeOf(2) with { ManagerStatus = new() { Addr = "192.0.2.2:2377" } }) { At = scene.Now });
        var first = Next()!;
        Assert.Equal(["192.0.2.2:2377"], first.Managers!.Select(m => m.Address));
        Assert.Equal(NodeRole.Worker, first.Role); // its spec wants it to be a manager; it is none yet
        scene.Do(new JoinNode(Scene.NodeOf(3) with { ManagerStatus = new() { Addr = "192.0.2.3:2377" } }) { At = scene.Now });
        var second = Next()!;
        Assert.Equal([new("node-2"), new NodeId("node-3")], second.Managers!.Select(m => m.NodeId));
        Assert.Null(second.Role);
        Assert.Null(Next());
    }

    [Fact]
    public void A_report_about_another_nodes_task_is_refused_and_one_about_a_forgotten_task_is_left_out()
    {
        scene.Create(Scene.Spec("web"));
        scene.Settle();
        var own = new TaskStatusUpdate { TaskId = scene.Tasks[0].Id, Status = new() { State = TaskState.Running } };
        var forgotten = own with { TaskId = new("forgotten") };
        Assert.Equal([own], ReportRule.Own(scene.State, new() { NodeId = Node, SessionId = "s", Updates = [own, forgotten] }).Updates);
        var refused = Assert.Throws<Orchestrator.Shared.Rpc.RpcException>(() => ReportRule.Own(scene.State, new() { NodeId = new("node-2"), SessionId = "s", Updates = [own] }));
        Assert.Equal(Orchestrator.Shared.Rpc.RpcStatus.PermissionDenied, refused.Status);
    }

    [Fact]
    public void That_a_node_needs_no_network_any_more_survives_the_wire()
    {
        var none = new Assignments { SessionId = "s", Sequence = 1, Networks = [] };
        var unchanged = none with { Networks = null };
        Assert.Empty(ModelJson.Read<Assignments>(ModelJson.Write(none)).Networks!);
        Assert.Null(ModelJson.Read<Assignments>(ModelJson.Write(unchanged)).Networks);
    }

    private static IReadOnlyList<string> Addresses(EndpointTable table, string name) => table.Names.Single(n => n.Name == name).Addresses;

    private Assignments? Next()
    {
        (var message, told) = AssignmentPlan.Plan(scene.State, Node, "s", told);
        return message;
    }
}
