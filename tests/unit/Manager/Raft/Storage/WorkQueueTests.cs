using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Tests.Unit.Manager.Raft.Storage;

public sealed class WorkQueueTests
{
    [Fact]
    public void What_was_asked_for_before_the_end_is_taken_in_order_and_nothing_after_it()
    {
        using var queue = new WorkQueue<int>();
        Assert.True(queue.TryAdd(1));
        Assert.True(queue.TryAdd(2));
        queue.Close();
        Assert.False(queue.TryAdd(3));
        Assert.False(queue.IsDone);
        Assert.Equal([1, 2], [Take(queue), Take(queue)]);
        Assert.True(queue.IsDone);
        Assert.False(queue.TryTake(out _, Timeout.InfiniteTimeSpan)); // it does not wait for what can't come
    }

    [Fact]
    public void Who_sleeps_is_woken_by_what_comes_and_by_the_end()
    {
        using var queue = new WorkQueue<int>();
        var taken = new List<int>();
        var thread = new Thread(() =>
        {
            while (queue.TryTake(out var item, Timeout.InfiniteTimeSpan))
                taken.Add(item);
        });
        thread.Start();
        for (var i = 0; i < 10_000; i++)
            Assert.True(queue.TryAdd(i));
        queue.Close();
        thread.Join();
        Assert.Equal(Enumerable.Range(0, 10_000), taken);
    }

    [Fact]
    public void A_wait_that_was_for_nothing_does_not_hide_what_comes_later()
    {
        using var queue = new WorkQueue<int>();
        Assert.False(queue.TryTake(out _, TimeSpan.FromMilliseconds(1)));
        Assert.True(queue.TryAdd(5));
        Assert.Equal(5, Take(queue));
        Assert.False(queue.TryTake(out _, TimeSpan.FromMilliseconds(1)));
    }

    private static int Take(WorkQueue<int> queue)
    {
        Assert.True(queue.TryTake(out var item, TimeSpan.Zero));
        return item;
    }
}
