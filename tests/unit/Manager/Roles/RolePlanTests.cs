using Orchestrator.Manager.Roles;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.Roles;

public sealed class RolePlanTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    [Fact]
    public void A_promoted_node_becomes_a_manager_when_it_is_ready_and_says_where_it_is()
    {
        var decision = Plan([Manager("a"), Node("b", NodeRole.Manager) with { ClusterAddr = "10.0.0.2:2377" }], [Voter("a", 1)]);
        Assert.Equal([new SetManager(new("b"), "10.0.0.2:2377") { At = Now }], decision.Commands);
        Assert.Null(decision.Remove);

        var down = Plan([Manager("a"), Node("b", NodeRole.Manager, NodeState.Down) with { ClusterAddr = "10.0.0.2:2377" }], [Voter("a", 1)]);
        Assert.Empty(down.Commands);
        Assert.Equal("node b becomes a manager when it is ready; it is down", Assert.Single(down.Waits));
    }

    [Fact]
    public void A_demoted_manager_leaves_the_consensus_before_it_ceases_to_be_one()
    {
        Node[] nodes = [Manager("a"), Manager("b"), Demoted("c")];
        var first = Plan(nodes, [Voter("a", 1), Voter("b", 2), Voter("c", 3)]);
        Assert.Equal("c", first.Remove?.Node?.Value);
        Assert.Empty(first.Commands);
        var then = Plan(nodes, [Voter("a", 1), Voter("b", 2)]);
        Assert.Null(then.Remove);
        Assert.Equal([new SetManager(new("c"), null) { At = Now }], then.Commands);
        Assert.Equal(new RoleDecision([], null, []).Waits, Plan([nodes[0], nodes[1], Node("c", NodeRole.Worker)], [Voter("a", 1), Voter("b", 2)]).Waits);
    }

    [Fact]
    public void The_leader_puts_itself_out_last()
    {
        var decision = Plan([Demoted("a"), Demoted("b"), Manager("c"), Manager("d")], [Voter("a", 1), Voter("b", 2), Voter("c", 3), Voter("d", 4)]);
        Assert.Equal("b", decision.Remove?.Node?.Value);
        Assert.Equal("a", Plan([Demoted("a"), Manager("c"), Manager("d")], [Voter("a", 1), Voter("c", 3), Voter("d", 4)]).Remove?.Node?.Value);
    }

    [Fact]
    public void A_member_whose_node_is_gone_is_put_out()
    {
        var decision = Plan([Manager("a"), Manager("b")], [Voter("a", 1), Voter("b", 2), new(new(9), null, Votes: true, Reachable: false)]);
        Assert.Equal(new MemberKey(9), decision.Remove?.Key);
    }

    [Theory]
    [InlineData("c", false, null)] // the unreachable one itself may go
    [InlineData("b", false, "manager b is needed")]
    [InlineData("b", true, null)]
    public void A_demotion_that_would_lose_the_majority_is_refused(string node, bool thirdReachable, string? refusal)
    {
        var state = State([Manager("a"), Manager("b"), Manager("c")]);
        var view = View([Voter("a", 1), Voter("b", 2), new(new(3), new NodeId("c"), Votes: true, thirdReachable)]);
        var command = new UpdateNode(new(node), 1, new NodeSpec { Role = NodeRole.Worker }) { At = Now };
        var refused = RolePlan.Refuse(state, view, command);
        if (refusal is null)
            Assert.Null(refused);
        else
            Assert.StartsWith(refusal, Assert.Single(refused!.Problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_demotion_that_became_dangerous_waits()
    {
        var decision = Plan([Manager("a"), Demoted("b"), Manager("c")], [Voter("a", 1), Voter("b", 2), new(new(3), new NodeId("c"), Votes: true, Reachable: false)]);
        Assert.Null(decision.Remove);
        Assert.StartsWith("manager b is needed", Assert.Single(decision.Waits), StringComparison.Ordinal);
    }

    private static RoleDecision Plan(Node[] nodes, ManagerMember[] members) => RolePlan.Plan(State(nodes), View(members), Now);

    private static ManagersView View(ManagerMember[] members) => new(new NodeId("a"), new NodeId("a"), [.. members]);

    private static ManagerMember Voter(string node, ulong key) => new(new(key), new NodeId(node), Votes: true, Reachable: true);

    private static ClusterState State(Node[] nodes) => ClusterState.Empty with
    {
        Swarm = new Swarm { Id = "swarm" },
        Nodes = ClusterState.Empty.Nodes.AddRange(nodes.Select(n => KeyValuePair.Create(n.Id, n))),
    };

    private static Node Node(string id, NodeRole role, NodeState state = NodeState.Ready) => new()
    {
        Id = new NodeId(id), Spec = new NodeSpec { Role = role }, Status = new NodeStatus { State = state },
    };

    private static Node Manager(string id) => Node(id, NodeRole.Manager) with { ManagerStatus = new ManagerStatus { Addr = $"{id}:2377" } };

    private static Node Demoted(string id) => Node(id, NodeRole.Worker) with { ManagerStatus = new ManagerStatus { Addr = $"{id}:2377" } };
}
