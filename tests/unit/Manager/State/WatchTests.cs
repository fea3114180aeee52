using Orchestrator.Manager.State;
using Orchestrator.Manager.State.Apply;

namespace Orchestrator.Tests.Unit.Manager.State;

public sealed class WatchTests
{
    [Fact]
    public async Task A_watcher_sees_every_change_after_its_call_even_before_its_first_read()
    {
        var broadcast = new ChangeBroadcast();
        using var stop = new CancellationTokenSource();
        var changes = broadcast.Subscribe(() => ClusterState.Empty, stop.Token);
        broadcast.Publish(Entry("a", "b"));
        broadcast.Publish(Entry("c"));
        var seen = new List<object?>();
        await foreach (var change in changes)
        {
            seen.Add(change.After);
            if (seen.Count == 3)
                break;
        }

        Assert.Equal(["a", "b", "c"], seen);
    }

    [Fact]
    public async Task A_watcher_that_falls_behind_is_told_once_and_then_follows_again()
    {
        var broadcast = new ChangeBroadcast();
        var newest = new ClusterState { Index = 7 };
        await using var changes = broadcast.Subscribe(() => newest, CancellationToken.None).GetAsyncEnumerator();
        for (var i = 0; i < ChangeBroadcast.BufferedChanges + 5; i++)
            broadcast.Publish(Entry("x"));
        Assert.True(await changes.MoveNextAsync());
        Assert.True(changes.Current.Lagged);
        Assert.Same(newest, changes.Current.State);
        broadcast.Publish(Entry("y"));
        Assert.True(await changes.MoveNextAsync());
        Assert.Equal("y", changes.Current.After);
    }

    [Fact]
    public async Task A_restored_state_wakes_an_idle_watcher()
    {
        var broadcast = new ChangeBroadcast();
        await using var changes = broadcast.Subscribe(() => ClusterState.Empty, CancellationToken.None).GetAsyncEnumerator();
        var next = changes.MoveNextAsync();
        broadcast.Restored(ClusterState.Empty);
        Assert.True(await next);
        Assert.True(changes.Current.Lagged);
    }

    private static Applied Entry(params string[] objects) =>
        new(ClusterState.Empty, new(1), [.. objects.Select(o => new ObjectChange(ChangeKind.Created, null, o))]);
}
