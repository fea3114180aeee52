using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.Scheduling;

public sealed class ScheduleTests
{
    [Fact]
    public void Tasks_of_a_service_spread_first_and_all_tasks_after()
    {
        var scene = new Scene(3);
        scene.Create(Scene.Spec("a", 4));
        scene.Settle();
        scene.Create(Scene.Spec("b", 2));
        scene.Settle();
        var counts = scene.Tasks.GroupBy(t => t.NodeId).Select(g => g.Count());
        Assert.Equal([2, 2, 2], counts);
    }

    [Fact]
    public void A_task_that_fits_nowhere_says_why_in_swarms_words_and_names_the_thing()
    {
        var scene = new Scene(3);
        scene.Create(Placed("web", new() { Constraints = ["node.role==manager"] }, memory: 2L << 30));
        scene.Settle();
        Assert.Equal("no suitable node (insufficient resources on 3 nodes: 2048 MiB of memory wanted by each task)", Error(scene));
        Assert.Equal(TaskState.Pending, scene.Tasks[0].Status.State);
    }

    [Fact]
    public void Every_filter_counts_the_nodes_it_kept_away()
    {
        var scene = new Scene(3);
        scene.Do(new SetNodeState(new("node-3"), NodeState.Down, "") { At = scene.Now });
        scene.Create(Placed("web", new() { Constraints = ["node.hostname==nowhere"] }));
        scene.Settle();
        Assert.Equal("no suitable node (scheduling constraints not satisfied on 2 nodes: node.hostname==nowhere; 1 node not available for new tasks)", Error(scene));
    }

    [Fact]
    public void A_waiting_task_is_placed_when_a_node_comes_that_takes_it()
    {
        var scene = new Scene();
        scene.Create(Placed("web", new() { Constraints = ["node.hostname==host-2"] }));
        scene.Settle();
        Assert.NotNull(Error(scene));
        scene.Do(new JoinNode(Scene.NodeOf(2)) { At = scene.Now });
        scene.Settle();
        Assert.Equal(new NodeId("node-2"), scene.Tasks[0].NodeId);
        Assert.Null(Error(scene));
    }

    [Fact]
    public void Reservations_fill_a_node()
    {
        var scene = new Scene();
        scene.Create(Placed("web", new(), memory: 400 << 20) with { Mode = new() { Replicated = new() { Replicas = 3 } } });
        scene.Settle();
        Assert.Equal(2, scene.Tasks.Count(t => t.Status.State == TaskState.Assigned));
        Assert.Equal("no suitable node (insufficient resources on 1 node: 400 MiB of memory wanted by each task)", scene.Tasks.Single(t => t.Status.State == TaskState.Pending).Status.Err);
    }

    [Fact]
    public void Replicas_on_one_node_are_limited()
    {
        var scene = new Scene(2);
        scene.Create(Placed("web", new() { MaxReplicas = 1 }) with { Mode = new() { Replicated = new() { Replicas = 3 } } });
        scene.Settle();
        Assert.Equal("no suitable node (max replicas per node limit exceed)", scene.Tasks.Single(t => t.Status.State == TaskState.Pending).Status.Err);
    }

    [Fact]
    public void A_host_port_is_used_once_on_each_node()
    {
        var scene = new Scene(2);
        scene.Create(Scene.Publishing(Scene.Spec("web", 3), new PortConfig { TargetPort = 80, PublishedPort = 80, PublishMode = "host" }));
        scene.Settle();
        Assert.Equal("no suitable node (host-mode port already in use on 2 nodes: 80/tcp)", scene.Tasks.Single(t => t.Status.State == TaskState.Pending).Status.Err);
    }

    [Theory]
    [InlineData("node.id==node-1", true)]
    [InlineData("node.id != node-1", false)]
    [InlineData("node.hostname==HOST-1", true)]
    [InlineData("node.role==manager", true)]
    [InlineData("node.role==worker", false)]
    [InlineData("node.platform.os==linux", true)]
    [InlineData("node.platform.arch==x86_64", true)]
    [InlineData("node.labels.zone==a", true)]
    [InlineData("node.labels.zone!=a", false)]
    [InlineData("node.labels.none==a", false)]
    [InlineData("node.labels.none!=a", true)]
    [InlineData("engine.labels.disk==ssd", true)]
    public void A_constraint_is_read_as_swarm_reads_it(string text, bool holds)
    {
        var node = Scene.NodeOf(1, NodeRole.Manager);
        node = node with
        {
            Spec = node.Spec with { Labels = new Dictionary<string, string> { ["zone"] = "a" } },
            Description = node.Description! with { Engine = new() { Labels = new Dictionary<string, string> { ["disk"] = "ssd" } } },
        };
        Assert.Equal(holds, PlacementConstraint.Parse(text, out _)!.Holds(node));
    }

    [Theory]
    [InlineData("node.id=x")]
    [InlineData("node.color==red")]
    [InlineData("node.role==king")]
    [InlineData("node.id==")]
    public void An_unreadable_constraint_is_explained(string text)
    {
        Assert.Null(PlacementConstraint.Parse(text, out var problem));
        Assert.NotEmpty(problem);
    }

    private static string? Error(Scene scene) => scene.Tasks[0].Status.Err;

    private static ServiceSpec Placed(string name, Placement placement, long memory = 0)
    {
        var spec = Scene.Spec(name);
        return spec with
        {
            TaskTemplate = spec.TaskTemplate with { Placement = placement, Resources = new() { Reservations = new() { MemoryBytes = memory } } },
        };
    }
}
