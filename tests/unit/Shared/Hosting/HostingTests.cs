using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Shared.Hosting;

namespace Orchestrator.Tests.Unit.Shared.Hosting;

public sealed class HostingTests
{
    [Fact]
    public void Backoff_doubles_up_to_the_ceiling_and_jitter_takes_up_to_half()
    {
        var backoff = new Backoff { First = TimeSpan.FromSeconds(1), Most = TimeSpan.FromSeconds(10) };
        Assert.Equal([0, 1, 2, 4, 8, 10, 10], new[] { 0, 1, 2, 3, 4, 5, 100_000 }.Select(a => backoff.Delay(a, 0).TotalSeconds));
        Assert.InRange(backoff.Delay(3, 0.999).TotalSeconds, 2, 2.01);
        Assert.Throws<ArgumentOutOfRangeException>(() => backoff.Delay(1, 1));
    }

    [Fact]
    public async Task A_full_mailbox_does_what_its_policy_says()
    {
        var oldest = Filled(WhenFull.DropOldest, 3);
        Assert.Equal((1L, 1), (oldest.Dropped, First(oldest)));
        var newest = Filled(WhenFull.DropNewest, 3);
        Assert.Equal((1L, 0), (newest.Dropped, First(newest)));
        var wait = Filled(WhenFull.Wait, 2);
        Assert.False(wait.TrySend(2));
        var sending = wait.SendAsync(2, default);
        Assert.False(sending.IsCompleted);
        Assert.Equal((0L, 0), (wait.Dropped, First(wait)));
        Assert.True(await sending);
        wait.Close();
        Assert.False(await wait.SendAsync(3, default));
    }

    [Fact]
    public async Task A_restarting_loop_runs_again_and_a_failing_one_fails_the_host()
    {
        await using var supervisor = new LoopSupervisor(TimeProvider.System, NullLogger.Instance, () => 0)
        {
            Backoff = new() { First = TimeSpan.FromMilliseconds(1) },
        };
        var runs = 0;
        var third = new TaskCompletionSource();
        supervisor.Start(
            "carrier",
            async stop =>
            {
                if (++runs < 3)
                    throw new IOException("gone");
                third.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            },
            WhenLoopFails.Restart);
        await third.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(supervisor.Failed.IsCompleted);
        supervisor.Start("owner", _ => throw new InvalidOperationException("broken invariant"), WhenLoopFails.FailHost);
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => supervisor.Failed.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal("broken invariant", failure.Message);
        await supervisor.StopAsync();
        Assert.Throws<ObjectDisposedException>(() => supervisor.Start("late", _ => Task.CompletedTask, WhenLoopFails.Restart));
    }

    private static Mailbox<int> Filled(WhenFull policy, int messages)
    {
        var mailbox = new Mailbox<int>(2, policy);
        for (var i = 0; i < messages; i++)
            mailbox.TrySend(i);
        return mailbox;
    }

    private static int First(Mailbox<int> mailbox)
    {
        Assert.True(mailbox.Reader.TryRead(out var first));
        return first;
    }
}
