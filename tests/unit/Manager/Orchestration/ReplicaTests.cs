using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.Orchestration;

public sealed class ReplicaTests
{
    [Fact]
    public void A_new_service_is_made_addressed_and_placed_in_one_turn()
    {
        var scene = new Scene();
        scene.Create(Scene.Publishing(Scene.On(Scene.Spec("web", 30), Network(scene)), new PortConfig { TargetPort = 80 }));
        Assert.Equal(1, scene.Settle());
        Assert.Equal(30, scene.Tasks.Count(t => t.Status.State == TaskState.Assigned && t.DesiredState == TaskState.Running));
        Assert.Equal(Enumerable.Range(1, 30), scene.Tasks.Select(t => t.Slot));
    }

    [Fact]
    public void A_task_bears_service_slot_and_id_in_its_name()
    {
        var scene = new Scene();
        scene.Create(Scene.Spec("web"));
        scene.Settle();
        Assert.Equal($"web.1.{scene.Tasks[0].Id}", scene.Tasks[0].Name);
    }

    [Fact]
    public void Scaling_down_removes_the_highest_slots()
    {
        var scene = new Scene();
        var id = scene.Create(Scene.Spec("web", 5));
        scene.Settle();
        scene.Obey();
        scene.Update(id, s => s with { Mode = new() { Replicated = new() { Replicas = 2 } } });
        scene.Settle();
        Assert.Equal([3, 4, 5], scene.Tasks.Where(t => t.DesiredState == TaskState.Remove).Select(t => t.Slot));
        scene.Obey();
        scene.Settle();
        Assert.Equal([1, 2], scene.Tasks.Select(t => t.Slot));
    }

    [Fact]
    public void A_removed_service_goes_when_its_last_container_has()
    {
        var scene = new Scene();
        var id = scene.Create(Scene.Spec("web", 2));
        scene.Settle();
        scene.Obey();
        scene.Do(new RemoveService(id) { At = scene.Now });
        scene.Settle();
        Assert.True(scene.State.Services[id].PendingDelete);
        Assert.All(scene.Tasks, t => Assert.Equal(TaskState.Remove, t.DesiredState));
        scene.Report(scene.Tasks[0], TaskState.Shutdown);
        scene.Settle();
        Assert.Single(scene.Tasks);
        scene.Obey();
        scene.Settle();
        Assert.Empty(scene.State.Services);
        Assert.Empty(scene.State.Tasks);
    }

    [Fact]
    public void A_global_service_has_one_task_on_every_node_that_may_run_it()
    {
        var scene = new Scene(3);
        scene.Create(Scene.Spec("agent") with
        {
            Mode = new() { Global = new() },
            TaskTemplate = new() { ContainerSpec = new() { Image = "a" }, Placement = new() { Constraints = ["node.role!=manager"] } },
        });
        scene.Settle();
        Assert.Equal(["node-2", "node-3"], scene.Tasks.Select(t => t.NodeId.Value).Order());
        scene.Do(new JoinNode(Scene.NodeOf(4)) { At = scene.Now });
        scene.Settle();
        Assert.Equal(3, scene.Tasks.Count(t => t.Status.State == TaskState.Assigned));
    }

    private static string Network(Scene scene)
    {
        scene.Network("front");
        return "front";
    }
}
