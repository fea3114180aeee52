using Orchestrator.Manager;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Tests.Unit.Manager;

public sealed class PeerBookTests
{
    private static readonly NodeId B = new("b");
    private ClusterState state = ClusterState.Empty;
    private IReadOnlyList<ManagerPeer> told = [];

    [Fact]
    public void A_manager_is_found_by_the_number_of_its_journal_and_not_by_one_it_had_before()
    {
        using var book = Book();
        Knows(new() { Addr = "b:1", Member = 2 });
        Assert.Equal(B, book.Find(new(2))?.NodeId);
        Knows(new() { Addr = "b:1", Member = 7 });
        Assert.Null(book.Find(new(2)));
        Assert.Equal(B, book.Find(new(7))?.NodeId);
        Knows(new() { Addr = "b:1" }); // promoted, and it has not said its number yet
        Assert.Null(book.Find(new(7)));
        Assert.Equal(B, book.Find(new(MemberNumber.Of(B, null).Value))?.NodeId); // as its journal from before numbers were drawn has it
    }

    [Fact]
    public void While_the_state_lags_a_number_is_found_by_what_the_node_was_told_and_by_who_spoke()
    {
        using var book = Book();
        Knows(new() { Addr = "b:1", Member = 2 });
        Assert.Null(book.Find(new(7)));
        told = [new() { NodeId = B, Address = "b:2", Member = 7 }];
        Assert.Equal("b:2", book.Find(new(7))?.Address);
        Assert.Equal(["b:1", "b:2"], book.All.Select(p => p.Address));
        book.Heard(new(8), new() { NodeId = B, Address = "b:3" });
        Assert.Equal("b:3", book.Find(new(8))?.Address);
        book.Heard(new(9), new() { NodeId = B, Address = "b:3" });
        Assert.Null(book.Find(new(8)));
    }

    private PeerBook Book() => new(() => state, () => told, connect: null, TimeProvider.System);

    private void Knows(ManagerStatus status) =>
        state = state with { Nodes = state.Nodes.SetItem(B, new() { Id = B, ManagerStatus = status }) };
}
