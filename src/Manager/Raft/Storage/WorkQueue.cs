namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// What one thread is asked to do, in order. It sleeps at once when there is nothing: one that turns around first, as the framework's own
/// queues do, takes the processor from those whose work it waits for.
/// </summary>
internal sealed class WorkQueue<T> : IDisposable
{
    private readonly Lock guard = new();
    private readonly Queue<T> items = new();
    private readonly AutoResetEvent arrived = new(false);
    private bool sleeps;
    private bool closed;

    /// <summary>Closed, and everything that was asked for is taken.</summary>
    internal bool IsDone
    {
        get
        {
            lock (guard)
                return closed && items.Count == 0;
        }
    }

    /// <summary>False when it is closed.</summary>
    internal bool TryAdd(T item)
    {
        lock (guard)
        {
            if (closed)
                return false;
            items.Enqueue(item);
            if (sleeps)
                arrived.Set(); // under the lock: who takes the last item may dispose of this
            sleeps = false;
            return true;
        }
    }

    /// <summary>Takes what is there, or comes within the time. False: nothing came, or it is closed.</summary>
    internal bool TryTake(out T item, TimeSpan wait)
    {
        while (true)
        {
            lock (guard)
            {
                if (items.TryDequeue(out item!))
                    return true;
                if (closed || wait == TimeSpan.Zero)
                    return false;
                sleeps = true;
            }

            if (arrived.WaitOne(wait))
                continue;
            wait = TimeSpan.Zero; // something may have come at the last moment
            lock (guard)
                sleeps = false;
        }
    }

    /// <summary>Takes no more; what is there is still to be taken.</summary>
    internal void Close()
    {
        lock (guard)
        {
            closed = true;
            arrived.Set();
        }
    }

    public void Dispose() => arrived.Dispose();
}
