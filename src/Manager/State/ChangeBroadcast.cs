using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Orchestrator.Manager.State.Apply;

namespace Orchestrator.Manager.State;

/// <summary>Hands every change to every watcher. A watcher's buffer is bounded: what does not fit is dropped and told as lag.</summary>
internal sealed class ChangeBroadcast
{
    internal const int BufferedChanges = 4096;
    private readonly Lock guard = new();
    private readonly List<Watcher> watchers = [];
    private readonly List<TaskCompletionSource> waiters = [];

    internal void Publish(Applied applied)
    {
        lock (guard)
        {
            foreach (var watcher in watchers)
            {
                foreach (var change in applied.Changes)
                    watcher.Offer(new(applied.State, change.Kind, change.Before, change.After));
            }

            WakeAll();
        }
    }

    /// <summary>The state was replaced as a whole: every watcher has to read it anew.</summary>
    internal void Restored()
    {
        lock (guard)
        {
            foreach (var watcher in watchers)
                watcher.Lag();
            WakeAll();
        }
    }

    /// <remarks>A source for each waiter, cancelled by itself: waiting on a shared one would go through the thread pool.</remarks>
    internal async Task<ClusterState> NewerAsync(Func<ClusterState> current, ulong seen, CancellationToken stop)
    {
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (guard)
                waiters.Add(waiter);
            try
            {
                var state = current(); // after taking a place, so that nothing between the two is missed
                if (state.Index > seen)
                    return state;
                using var cancel = stop.UnsafeRegister(static (w, token) => ((TaskCompletionSource)w!).TrySetCanceled(token), waiter);
                await waiter.Task;
            }
            finally
            {
                Forget(waiter);
            }
        }
    }

    /// <summary>Watches from this call on, not from the first read.</summary>
    internal IAsyncEnumerable<StateChange> Subscribe(Func<ClusterState> current, CancellationToken stop)
    {
        var watcher = new Watcher();
        lock (guard)
            watchers.Add(watcher);
        return ReadAsync(watcher, current, stop, CancellationToken.None);
    }

    private async IAsyncEnumerable<StateChange> ReadAsync(
        Watcher watcher, Func<ClusterState> current, CancellationToken watch, [EnumeratorCancellation] CancellationToken enumerate)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(watch, enumerate);
        try
        {
            while (await watcher.Buffer.Reader.WaitToReadAsync(both.Token))
            {
                while (watcher.Buffer.Reader.TryRead(out var change))
                {
                    if (watcher.TakeLag())
                        yield return new(current(), ChangeKind.Updated, null, null) { Lagged = true };
                    else if (!change.Lagged)
                        yield return change;
                }
            }
        }
        finally
        {
            Forget(watcher);
        }
    }

    private void Forget(TaskCompletionSource waiter)
    {
        lock (guard)
            waiters.Remove(waiter);
    }

    private void Forget(Watcher watcher)
    {
        lock (guard)
            watchers.Remove(watcher);
    }

    private void WakeAll()
    {
        foreach (var waiter in waiters)
            waiter.TrySetResult();
        waiters.Clear();
    }

    private sealed class Watcher
    {
        private bool lagged;

        internal Channel<StateChange> Buffer { get; } = Channel.CreateBounded<StateChange>(
            new BoundedChannelOptions(BufferedChanges) { SingleReader = true });

        internal void Offer(StateChange change)
        {
            if (!Buffer.Writer.TryWrite(change))
                Lag();
        }

        internal void Lag()
        {
            Volatile.Write(ref lagged, true);
            // Wakes a reader of an empty buffer; in a full one there is something to read anyway.
            Buffer.Writer.TryWrite(new(ClusterState.Empty, ChangeKind.Updated, null, null) { Lagged = true });
        }

        /// <summary>True once after a drop: what was still buffered is older than the state that the reader will take.</summary>
        internal bool TakeLag()
        {
            if (!Volatile.Read(ref lagged))
                return false;
            while (Buffer.Reader.TryRead(out _))
            {
            }

            // After the draining: a drop that happens meanwhile is covered by the state that the reader takes next.
            Volatile.Write(ref lagged, false);
            return true;
        }
    }
}
