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
    public void A_preference_spreads_over_groups_however_many_nodes_they_have()
    {
        // Zone a has one node, zone b two, and one node has no zone.
        var scene = new Scene(4);
        Label(scene, "node-1", ("zone", "a"));
        Label(scene, "node-2", ("zone", "b"));
        Label(scene, "node-3", ("zone", "b"));
        scene.Create(Placed("web", Over("node.labels.zone")) with { Mode = new() { Replicated = new() { Replicas = 6 } } });
        scene.Settle();
        Assert.Equal([("node-1", 2), ("node-2", 1), ("node-3", 1), ("node-4", 2)], Counts(scene));
    }

    [Fact]
    public void A_second_preference_spreads_inside_the_groups_of_the_first_and_full_groups_are_passed_over()
    {
        var scene = new Scene(4);
        Label(scene, "node-1", ("zone", "a"), ("rack", "1"));
        Label(scene, "node-2", ("zone", "b"), ("rack", "2"));
        Label(scene, "node-3", ("zone", "b"), ("rack", "3"));
        Label(scene, "node-4", ("zone", "b"), ("rack", "3"));
        scene.Create(Placed("web", Over("node.labels.zone", "node.labels.rack") with { MaxReplicas = 3 }) with { Mode = new() { Replicated = new() { Replicas = 8 } } });
        scene.Settle();
        Assert.Equal([("node-1", 3), ("node-2", 2), ("node-3", 2), ("node-4", 1)], Counts(scene)); // zone a is full at three
    }

    [Theory]
    [InlineData("node.hostname")]
    [InlineData("node.labels.")]
    [InlineData("zone")]
    public void What_cannot_be_spread_over_is_refused_with_a_sentence(string descriptor)
    {
        var problem = new SpreadOver { SpreadDescriptor = descriptor }.Problem();
        Assert.Equal($"'{descriptor}' is nothing to spread over: tasks spread over node.labels.KEY or engine.labels.KEY", problem);
    }

    [Fact]
    public void Nodes_that_are_lost_drained_or_paused_are_counted_as_not_available()
    {
        var scene = new Scene(4);
        scene.Do(new SetNodeState(new("node-1"), NodeState.Down, "") { At = scene.Now });
        foreach (var (id, availability) in new[] { ("node-2", NodeAvailability.Drain), ("node-3", NodeAvailability.Pause) })
            Change(scene, id, spec => spec with { Availability = availability });
        scene.Create(Placed("web", new() { Constraints = ["node.hostname!=host-4"] }));
        scene.Settle();
        Assert.Equal("no suitable node (3 nodes not available for new tasks; scheduling constraints not satisfied on 1 node: node.hostname!=host-4)", Error(scene));
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

    private static Placement Over(params string[] keys) =>
        new() { Preferences = [.. keys.Select(k => new PlacementPreference { Spread = new() { SpreadDescriptor = k } })] };

    private static void Label(Scene scene, string id, params (string Key, string Value)[] labels) =>
        Change(scene, id, spec => spec with { Labels = labels.ToDictionary(l => l.Key, l => l.Value) });

    private static void Change(Scene scene, string id, Func<NodeSpec, NodeSpec> change)
    {
        var node = scene.State.Nodes[new(id)];
        Assert.Null(scene.Do(new UpdateNode(node.Id, node.Version.Index, change(node.Spec)) { At = scene.Now }).Outcome.Refusal);
    }

    private static IEnumerable<(string, int)> Counts(Scene scene) =>
        scene.Tasks.GroupBy(t => t.NodeId.Value).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => (g.Key, g.Count()));

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
