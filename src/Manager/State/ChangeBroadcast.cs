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
    private readonly List<Waiter> waiters = [];

    internal void Publish(Applied applied)
    {
        lock (guard)
        {
            foreach (var watcher in watchers)
            {
                foreach (var change in applied.Changes)
                    watcher.Offer(new(applied.State, change.Kind, change.Before, change.After));
            }

            Wake(applied.State);
        }
    }

    /// <summary>The state was replaced as a whole: every watcher has to read it anew.</summary>
    internal void Restored(ClusterState state)
    {
        lock (guard)
        {
            foreach (var watcher in watchers)
                watcher.Lag();
            Wake(state);
        }
    }

    /// <summary>Completes with a state that is wanted: at once if it is the present one.</summary>
    /// <param name="current">The present state.</param>
    /// <param name="wants">Asked under a lock for each new state: says quickly whether it is one to wake for.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <remarks>A source for each waiter, cancelled by itself: waiting on a shared one would go through the thread pool.</remarks>
    internal async Task<ClusterState> WantedAsync(Func<ClusterState> current, Func<ClusterState, bool> wants, CancellationToken stop)
    {
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var waiter = new Waiter(wants);
            lock (guard)
                waiters.Add(waiter);
            try
            {
                var state = current(); // after taking a place, so that nothing between the two is missed
                if (wants(state))
                    return state;
                using var cancel = stop.UnsafeRegister(static (w, token) => ((Waiter)w!).TrySetCanceled(token), waiter);
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

    private void Forget(Waiter waiter)
    {
        lock (guard)
            waiters.Remove(waiter);
    }

    private void Forget(Watcher watcher)
    {
        lock (guard)
            watchers.Remove(watcher);
    }

    private void Wake(ClusterState state)
    {
        var kept = 0;
        for (var i = 0; i < waiters.Count; i++)
        {
            if (waiters[i].Wants(state))
                waiters[i].TrySetResult();
            else
                waiters[kept++] = waiters[i];
        }

        waiters.RemoveRange(kept, waiters.Count - kept);
    }

    private sealed class Waiter(Func<ClusterState, bool> wants) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        internal Func<ClusterState, bool> Wants { get; } = wants;
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
