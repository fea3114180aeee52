using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.Orchestration;

public sealed class LostNodeTests
{
    private static readonly NodeId One = new("node-1");
    private static readonly NodeId Two = new("node-2");
    private readonly Scene scene = new(2);

    [Fact]
    public void Tasks_of_a_lost_node_are_replaced_in_the_turn_that_sees_it()
    {
        scene.Create(Scene.Spec("web", 2));
        Lose();
        Assert.Equal(2, scene.Tasks.Count(t => t.DesiredState == TaskState.Running && t.NodeId == One));
        Assert.Equal(TaskState.Shutdown, scene.Tasks.Single(t => t.NodeId == Two).DesiredState);
    }

    [Fact]
    public void A_global_task_of_a_lost_node_serves_on_and_is_there_when_the_node_is_back()
    {
        scene.Create(Scene.Spec("agent") with { Mode = new() { Global = new() } });
        Lose();
        var task = scene.Tasks.Single(t => t.NodeId == Two);
        Assert.Equal(TaskState.Running, task.DesiredState);
        scene.Do(new SetNodeState(Two, NodeState.Ready, "") { At = scene.Now });
        scene.Settle();
        Assert.Equal(2, scene.Tasks.Count);
    }

    [Fact]
    public void The_update_of_a_global_service_does_not_wait_for_a_lost_node_and_takes_it_along_when_it_is_back()
    {
        var id = scene.Create(Scene.Spec("agent") with { Mode = new() { Global = new() }, UpdateConfig = new() { Parallelism = 1, Monitor = TimeSpan.FromMilliseconds(1) } });
        Lose();
        scene.Update(id, s => Scene.WithImage(s, "web:2"));
        Rollout();
        Assert.Equal("completed", scene.State.Services[id].UpdateStatus!.State);
        Assert.Equal("web:1", Image(Two));
        scene.Do(new SetNodeState(Two, NodeState.Ready, "") { At = scene.Now });
        Rollout();
        Assert.Equal("web:2", Image(Two));
        Assert.Equal("completed", scene.State.Services[id].UpdateStatus!.State);
    }

    [Fact]
    public void A_global_task_of_a_node_that_was_removed_is_not_mourned()
    {
        scene.Create(Scene.Spec("agent") with { Mode = new() { Global = new() } });
        Lose();
        scene.Do(new RemoveNode(Two, Force: true) { At = scene.Now });
        scene.Settle();
        Assert.Equal(One, scene.Tasks.Single(t => t.DesiredState <= TaskState.Running).NodeId);
    }

    [Fact]
    public void Tasks_of_a_node_that_was_removed_follow_without_delay()
    {
        scene.Create(Scene.Spec("web", 2));
        scene.Settle();
        scene.Obey();
        scene.Do(new RemoveNode(Two, Force: true) { At = scene.Now });
        scene.Settle();
        Assert.Equal(2, scene.Tasks.Count(t => t.DesiredState == TaskState.Running && t.NodeId == One));
    }

    [Fact]
    public void Of_two_tasks_of_a_slot_that_are_lost_together_one_is_followed()
    {
        var id = scene.Create(Scene.Spec("web"));
        scene.Settle();
        scene.Advance(1);
        var beside = new NewTask(scene.Ids.NextTask(), id, scene.State.Services[id].SpecVersion.Index, 1, default, TaskState.Running); // an update that starts the new one first
        scene.Do(new CreateTasks([beside]) { At = scene.Now });
        scene.Settle();
        Assert.Equal(2, scene.Tasks.Count(t => t.DesiredState <= TaskState.Running));
        scene.Do(new Turn([new SetNodeState(One, NodeState.Down, "") { At = scene.Now }, new SetNodeState(Two, NodeState.Down, "") { At = scene.Now }]) { At = scene.Now });
        scene.Settle();
        Assert.Single(scene.Tasks, t => t.DesiredState <= TaskState.Running);
    }

    private string Image(NodeId node) => scene.Tasks.Single(t => t.NodeId == node && t.DesiredState <= TaskState.Running).Spec.ContainerSpec!.Image;

    private void Rollout()
    {
        for (var i = 0; i < 6; i++)
        {
            scene.Settle();
            foreach (var task in scene.Tasks.Where(t => scene.State.Nodes[t.NodeId].Status.State == NodeState.Ready && t.Status.State is >= TaskState.Assigned and <= TaskState.Running))
            {
                if (task.DesiredState > TaskState.Running)
                    scene.Report(task, TaskState.Shutdown);
                else if (task.DesiredState == TaskState.Running && task.Status.State < TaskState.Running)
                    scene.Report(task, TaskState.Running);
            }

            scene.Advance(1);
        }

        scene.Settle();
    }

    private void Lose()
    {
        scene.Settle();
        scene.Obey();
        scene.Do(new SetNodeState(Two, NodeState.Down, "gone") { At = scene.Now });
        scene.Settle();
    }
}
