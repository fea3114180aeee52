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

    [Fact]
    public async Task Who_waits_sleeps_through_what_he_does_not_look_at()
    {
        var stop = TestContext.Current.CancellationToken;
        var broadcast = new ChangeBroadcast();
        var seen = new ClusterState { Index = 1 };
        var current = seen;
        var work = broadcast.WantedAsync(() => current, s => s.Differs(seen, StateParts.Work), stop);
        var members = broadcast.WantedAsync(() => current, s => s.Differs(seen, StateParts.Members), stop);
        var any = broadcast.WantedAsync(() => current, s => s.Index > 1, stop);
        Assert.False(any.IsCompleted);

        Apply(current with { Index = 2, Configs = current.Configs.Add("c", new() { Id = "c", Spec = new() }) });
        Assert.Equal(2u, (await any).Index);
        Assert.False(work.IsCompleted || members.IsCompleted);

        Apply(current with { Index = 3, Nodes = current.Nodes.Add(new("n"), new() { Id = new("n") }) });
        Assert.Equal(3u, (await members).Index);
        Assert.False(work.IsCompleted);

        Apply(current with { Index = 4, Services = current.Services.Add(new("s"), new() { Id = new("s"), Spec = new() { Name = "s" } }) });
        Assert.Equal(4u, (await work).Index);

        void Apply(ClusterState state)
        {
            current = state;
            broadcast.Publish(new(state, new(state.Index), []));
        }
    }

    [Fact]
    public async Task Who_waits_is_told_of_a_restored_state_and_goes_when_cancelled()
    {
        var broadcast = new ChangeBroadcast();
        var current = ClusterState.Empty;
        using var stop = new CancellationTokenSource();
        var wanted = broadcast.WantedAsync(() => current, s => s.Index >= 9, CancellationToken.None);
        var never = broadcast.WantedAsync(() => current, _ => false, stop.Token);
        current = new() { Index = 9 };
        broadcast.Restored(current);
        Assert.Same(current, await wanted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => never);
    }

    [Fact]
    public void A_write_of_one_kind_leaves_the_other_parts_as_they_were()
    {
        // What the loops' sleep stands on: Apply makes no new collection for what it does not change.
        var scene = new Scene();
        var before = scene.State;
        scene.Do(new CreateConfig("c", new() { Name = "c", Data = [1] }) { At = scene.Now, RequestId = "r" });
        Assert.Single(scene.State.Configs);
        Assert.False(scene.State.Differs(before, StateParts.Members | StateParts.Work));
    }

    private static Applied Entry(params string[] objects) =>
        new(ClusterState.Empty, new(1), [.. objects.Select(o => new ObjectChange(ChangeKind.Created, null, o))]);
}
