using System.Runtime.CompilerServices;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>Where the loop writes the leadership and everybody reads it.</summary>
internal sealed class LeadershipBoard
{
    private readonly Lock guard = new();
    private readonly List<TaskCompletionSource> waiters = [];
    private volatile LeadershipStatus current = LeadershipStatus.Unknown;

    internal LeadershipStatus Current => current;

    /// <summary>Called by the loop alone. True when this is news.</summary>
    internal bool Write(LeadershipStatus status)
    {
        if (status == current)
            return false;
        current = status;
        lock (guard)
        {
            foreach (var waiter in waiters)
                waiter.TrySetResult();
            waiters.Clear();
        }

        return true;
    }

    /// <remarks>A source for each waiter, cancelled by itself: WaitAsync on a shared one would go through the thread pool, and no seed would replay.</remarks>
    internal async IAsyncEnumerable<LeadershipStatus> WatchAsync([EnumeratorCancellation] CancellationToken stop)
    {
        LeadershipStatus? seen = null;
        while (true)
        {
            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (guard)
                waiters.Add(waiter); // before the status is read, so that no change falls between
            var now = current;
            if (now != seen)
            {
                seen = now;
                yield return now;
                continue;
            }

            using var cancel = stop.UnsafeRegister(static (w, token) => ((TaskCompletionSource)w!).TrySetCanceled(token), waiter);
            await waiter.Task;
        }
    }
}
