using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.Orchestration;

public sealed class DrainTests
{
    private static readonly NodeId One = new("node-1");
    private static readonly NodeId Two = new("node-2");
    private readonly Scene scene = new(2);

    [Fact]
    public void A_drained_task_goes_when_the_one_that_relieves_it_runs()
    {
        var old = Run();
        Set(Two, NodeAvailability.Drain);
        var relief = Relief(old);
        Assert.Equal((One, TaskState.Running), (relief.NodeId, relief.DesiredState));
        Assert.Equal(TaskState.Running, Now(old).DesiredState);
        scene.Report(relief, TaskState.Starting);
        scene.Settle();
        Assert.Equal(TaskState.Running, Now(old).DesiredState);
        scene.Report(relief, TaskState.Running);
        scene.Settle();
        Assert.Equal((TaskState.Shutdown, TaskState.Running), (Now(old).DesiredState, Now(relief).DesiredState));
    }

    [Fact]
    public void What_does_not_serve_yet_goes_at_once()
    {
        scene.Create(Scene.Spec("web", 2));
        scene.Settle();
        var old = scene.Tasks.Single(t => t.NodeId == Two);
        Set(Two, NodeAvailability.Drain);
        Assert.Equal(TaskState.Shutdown, Now(old).DesiredState);
        Assert.Equal(2, scene.Tasks.Count(t => t.NodeId == One && t.DesiredState <= TaskState.Running));
    }

    [Fact]
    public void A_task_that_no_node_takes_serves_half_a_minute_longer_and_its_relief_says_why()
    {
        var old = Run("node.hostname==host-2");
        Set(Two, NodeAvailability.Drain);
        Assert.StartsWith("no suitable node (", Relief(old).Status.Err, StringComparison.Ordinal);
        scene.Advance(29.9);
        scene.Settle();
        Assert.Equal(TaskState.Running, Now(old).DesiredState);
        scene.Advance(0.1);
        scene.Settle();
        Assert.Equal(TaskState.Shutdown, Now(old).DesiredState);
        Assert.Single(scene.Tasks, t => t.DesiredState <= TaskState.Running); // it waits for a place
    }

    [Fact]
    public void Where_every_node_is_drained_nobody_is_waited_for()
    {
        var old = Run();
        Set(One, NodeAvailability.Drain);
        Set(Two, NodeAvailability.Drain);
        Assert.Equal(TaskState.Shutdown, Now(old).DesiredState);
    }

    [Fact]
    public void A_relief_that_keeps_failing_is_waited_for_five_minutes_in_all()
    {
        var old = Run();
        Set(Two, NodeAvailability.Drain);
        for (var seconds = 0; seconds < 299; seconds += 13)
        {
            foreach (var task in scene.Tasks.Where(t => t.Relief is not null && t.Status.State is >= TaskState.Assigned and < TaskState.Running && t.DesiredState == TaskState.Running))
                scene.Report(task, TaskState.Failed);
            scene.Settle();
            Assert.Equal(TaskState.Running, Now(old).DesiredState);
            scene.Advance(13);
            scene.Settle();
        }

        scene.Advance(10);
        scene.Settle();
        Assert.Equal(TaskState.Shutdown, Now(old).DesiredState);
    }

    [Fact]
    public void A_drain_that_is_taken_back_takes_back_what_does_not_run_yet()
    {
        var old = Run();
        Set(Two, NodeAvailability.Drain);
        var relief = Relief(old);
        Set(Two, NodeAvailability.Active);
        Assert.Equal((TaskState.Running, TaskState.Shutdown), (Now(old).DesiredState, Now(relief).DesiredState));
        Assert.Equal(2, scene.Tasks.Count(t => t.DesiredState <= TaskState.Running));
    }

    [Fact]
    public void A_relief_that_fails_after_the_drain_was_taken_back_has_no_follower()
    {
        var old = Run();
        Set(Two, NodeAvailability.Drain);
        scene.Report(Relief(old), TaskState.Failed);
        var node = scene.State.Nodes[Two];
        scene.Do(new UpdateNode(node.Id, node.Version.Index, node.Spec) { At = scene.Now });
        Set(Two, NodeAvailability.Active);
        scene.Advance(60);
        scene.Settle();
        Assert.Equal(TaskState.Running, Now(old).DesiredState);
        Assert.Equal(2, scene.Tasks.Count(t => t.DesiredState <= TaskState.Running));
    }

    [Fact]
    public void A_drained_node_that_is_lost_holds_nothing_up()
    {
        var old = Run();
        Set(Two, NodeAvailability.Drain);
        scene.Do(new SetNodeState(Two, NodeState.Down, "gone") { At = scene.Now });
        scene.Settle();
        Assert.Equal(TaskState.Shutdown, Now(old).DesiredState);
        Assert.Equal(2, scene.Tasks.Count(t => t.DesiredState == TaskState.Running && t.NodeId == One));
    }

    [Fact]
    public void A_relief_whose_node_is_lost_is_followed_at_once()
    {
        scene.Do(new JoinNode(Scene.NodeOf(3)) { At = scene.Now });
        var old = Run();
        Set(Two, NodeAvailability.Drain);
        var relief = Relief(old);
        scene.Do(new SetNodeState(relief.NodeId, NodeState.Down, "gone") { At = scene.Now });
        scene.Settle();
        var next = Relief(old);
        Assert.NotEqual(relief.Id, next.Id);
        Assert.Equal(relief.Relief!.Until, next.Relief!.Until);
        scene.Report(next, TaskState.Running);
        scene.Settle();
        Assert.Equal(TaskState.Shutdown, Now(old).DesiredState);
    }

    [Fact]
    public void A_global_task_leaves_a_drained_node_at_once_and_comes_back()
    {
        scene.Create(Scene.Spec("agent") with { Mode = new() { Global = new() } });
        scene.Settle();
        scene.Obey();
        Set(Two, NodeAvailability.Drain);
        scene.Obey();
        scene.Settle();
        Assert.Equal([One], Live());
        Set(Two, NodeAvailability.Active);
        Assert.Equal([One, Two], Live());
    }

    [Fact]
    public void Moving_uses_up_no_attempt()
    {
        var spec = Scene.Spec("web");
        scene.Create(spec with { TaskTemplate = spec.TaskTemplate with { RestartPolicy = new() { MaxAttempts = 1, Delay = TimeSpan.Zero } } });
        scene.Settle();
        scene.Obey();
        for (var move = 0; move < 6; move++)
        {
            var from = scene.Tasks.Single(t => t.DesiredState == TaskState.Running).NodeId;
            Set(from, NodeAvailability.Drain);
            scene.Obey();
            scene.Settle();
            scene.Obey();
            Set(from, NodeAvailability.Active);
        }

        scene.Report(scene.Tasks.Single(t => t.DesiredState == TaskState.Running), TaskState.Failed);
        scene.Settle();
        scene.Obey();
        Assert.Single(scene.Tasks, t => t.DesiredState == TaskState.Running);
    }

    [Fact]
    public void A_paused_node_keeps_what_it_has_and_gets_nothing()
    {
        Run();
        Set(Two, NodeAvailability.Pause);
        scene.Create(Scene.Spec("more", 3));
        scene.Settle();
        Assert.Single(scene.Tasks, t => t.NodeId == Two);
        Assert.Equal(5, scene.Tasks.Count(t => t.DesiredState == TaskState.Running));
    }

    /// <summary>Two tasks, one on each node or both where they may; the one on node 2.</summary>
    private ServiceTask Run(string? constraint = null)
    {
        var spec = Scene.Spec("web", constraint is null ? 2ul : 1);
        scene.Create(spec with { TaskTemplate = spec.TaskTemplate with { Placement = new() { Constraints = constraint is null ? [] : [constraint] } } });
        scene.Settle();
        scene.Obey();
        scene.Settle();
        return scene.Tasks.Single(t => t.NodeId == Two);
    }

    private void Set(NodeId id, NodeAvailability availability)
    {
        var node = scene.State.Nodes[id];
        scene.Do(new UpdateNode(id, node.Version.Index, node.Spec with { Availability = availability }) { At = scene.Now });
        scene.Settle();
    }

    private ServiceTask Relief(ServiceTask old) => scene.Tasks.Single(t => t.Relief?.TaskId == old.Id && t.DesiredState <= TaskState.Running);

    private ServiceTask Now(ServiceTask task) => scene.State.Tasks[task.Id];

    private IEnumerable<NodeId> Live() => scene.Tasks.Where(t => t.DesiredState <= TaskState.Running).Select(t => t.NodeId).Order();
}
