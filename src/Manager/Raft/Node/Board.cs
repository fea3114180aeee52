using System.Runtime.CompilerServices;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>Where the loop writes what is so at the moment, and everybody reads it.</summary>
internal sealed class Board<T>(T first)
    where T : class, IEquatable<T>
{
    private readonly Lock guard = new();
    private readonly List<TaskCompletionSource> waiters = [];
    private volatile T current = first;

    internal T Current => current;

    /// <summary>Called by the loop alone. True when this is news.</summary>
    internal bool Write(T status)
    {
        if (status.Equals(current))
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
    internal async IAsyncEnumerable<T> WatchAsync([EnumeratorCancellation] CancellationToken stop)
    {
        T? seen = null;
        while (true)
        {
            if (Newer(seen, out var waiter) is { } now)
            {
                seen = now;
                yield return now;
                continue;
            }

            using var cancel = stop.UnsafeRegister((w, token) => GiveUp((TaskCompletionSource)w!, token), waiter);
            await waiter.Task;
        }
    }

    /// <summary>What is not equal to what was seen; or null, and a waiter for it. Read under the lock, so that no change falls between.</summary>
    private T? Newer(T? seen, out TaskCompletionSource waiter)
    {
        waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (guard)
        {
            if (!current.Equals(seen))
                return current;
            waiters.Add(waiter);
            return null;
        }
    }

    private void GiveUp(TaskCompletionSource waiter, CancellationToken stop)
    {
        lock (guard)
            waiters.Remove(waiter);
        waiter.TrySetCanceled(stop);
    }
}
