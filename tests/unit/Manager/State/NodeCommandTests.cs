using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.State;

public sealed class NodeCommandTests
{
    private readonly Scene scene = new();

    [Fact]
    public void An_agent_that_does_not_know_its_address_leaves_the_one_the_cluster_has()
    {
        var id = scene.State.Nodes.Keys.First();
        scene.Do(new RegisterNode(id, new NodeDescription { Hostname = "h" }, "192.0.2.7") { At = scene.Now });
        Assert.Equal("192.0.2.7", scene.State.Nodes[id].Status.Addr);
        scene.Do(new RegisterNode(id, new NodeDescription { Hostname = "h" }, "") { At = scene.Now });
        Assert.Equal(("192.0.2.7", NodeState.Ready), (scene.State.Nodes[id].Status.Addr, scene.State.Nodes[id].Status.State));
    }

    [Fact]
    public void A_managers_number_stays_with_it_through_a_move_and_goes_with_its_role()
    {
        var id = new NodeId("m");
        scene.Do(new JoinNode(new() { Id = id, Spec = new() { Role = NodeRole.Manager }, ManagerStatus = new() { Addr = "a:1" } }) { At = scene.Now });
        scene.Do(new SetManager(id, "a:1", 7) { At = scene.Now });
        scene.Do(new SetManager(id, "b:1") { At = scene.Now });
        Assert.Equal(new ManagerStatus { Addr = "b:1", Member = 7 }, scene.State.Nodes[id].ManagerStatus);
        var version = scene.State.Nodes[id].Version;
        scene.Do(new SetManager(id, "b:1", 7) { At = scene.Now });
        Assert.Equal(version, scene.State.Nodes[id].Version);

        Spec(NodeRole.Worker);
        scene.Do(new SetManager(id, null) { At = scene.Now });
        Spec(NodeRole.Manager);
        scene.Do(new SetManager(id, "b:1") { At = scene.Now });
        Assert.Equal(new ManagerStatus { Addr = "b:1" }, scene.State.Nodes[id].ManagerStatus);

        scene.Do(new BeginAnew(id, "c:1", 9) { At = scene.Now });
        Assert.Equal(new ManagerStatus { Addr = "c:1", Member = 9 }, scene.State.Nodes[id].ManagerStatus);

        void Spec(NodeRole role)
        {
            var node = scene.State.Nodes[id];
            scene.Do(new UpdateNode(id, node.Version.Index, node.Spec with { Role = role }) { At = scene.Now });
            Assert.Equal(role, scene.State.Nodes[id].Spec.Role);
        }
    }
}
