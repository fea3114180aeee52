using Orchestrator.Manager.Dispatch;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.Dispatch;

public sealed class HeartbeatTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly Heartbeats heartbeats = new();

    [Fact]
    public void A_node_is_late_after_three_periods_without_a_word()
    {
        heartbeats.Heard(new("a"), Second, Second);
        heartbeats.Heard(new("b"), Second * 2, Second);
        Assert.Equal(Second * 4, heartbeats.Next);
        Assert.Empty(heartbeats.TakeLate(Second * 3.9));
        Assert.Equal([new NodeId("a")], heartbeats.TakeLate(Second * 4));
        Assert.Empty(heartbeats.TakeLate(Second * 4.5));
        heartbeats.Heard(new("b"), Second * 4.9, Second);
        Assert.Empty(heartbeats.TakeLate(Second * 7));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(500, 1)]
    [InlineData(1000, 2)]
    [InlineData(10_000, 20)]
    public void The_period_grows_so_that_the_leader_is_asked_no_more_than_so_often(int nodes, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Heartbeats.Period(Second, nodes));

    [Fact]
    public void A_longer_period_that_was_asked_for_stays() => Assert.Equal(Second * 5, Heartbeats.Period(Second * 5, 100));

    [Fact]
    public void A_manager_that_stood_still_blames_nobody()
    {
        heartbeats.Heard(new("a"), Second, Second);
        heartbeats.Excuse(Second * 60);
        Assert.Empty(heartbeats.TakeLate(Second * 63));
        Assert.Equal([new NodeId("a")], heartbeats.TakeLate(Second * 64));
    }

    [Fact]
    public void A_node_that_was_heard_is_not_expected_anew()
    {
        heartbeats.Heard(new("a"), Second, Second);
        heartbeats.Expect(new("a"), Second * 100);
        Assert.Equal([new NodeId("a")], heartbeats.TakeLate(Second * 4));
    }
}
