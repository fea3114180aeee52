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
}
