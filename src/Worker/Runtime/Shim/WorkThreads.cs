namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// Threads for work that blocks in the kernel (a launch waits for its child's exec), so that the thread pool, which answers
/// the socket, never waits for it. An idle one sleeps at once: the framework's blocking queues turn around for a while first, on a processor that
/// the child needs.
/// </summary>
internal sealed class WorkThreads : IDisposable
{
    private const int StackSize = 512 * 1024;

    private readonly object gate = new();
    private readonly Queue<Action> queue = new();
    private readonly Thread[] threads;
    private bool closed;

    internal WorkThreads(int count)
    {
        threads = [.. Enumerable.Range(1, count).Select(n => new Thread(Run, StackSize) { IsBackground = true, Name = $"launch {n}" })];
        foreach (var thread in threads)
            thread.Start();
    }

    /// <summary>Does the work on one of the threads; its exception is the task's.</summary>
    /// <param name="work">What blocks.</param>
    /// <param name="then">None: what awaits goes on on that thread, and must not block it.</param>
    internal Task<T> RunAsync<T>(Func<T> work, TaskCreationOptions then = TaskCreationOptions.RunContinuationsAsynchronously)
    {
        var result = new TaskCompletionSource<T>(then);
        Add(() =>
        {
            T value;
            try
            {
                value = work();
            }
            catch (Exception error)
            {
                result.SetException(error);
                return;
            }
            result.SetResult(value);
        });
        return result.Task;
    }

    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            Monitor.PulseAll(gate);
        }
        foreach (var thread in threads)
            thread.Join();
    }

    private void Add(Action work)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            queue.Enqueue(work);
            Monitor.Pulse(gate);
        }
    }

    private void Run()
    {
        while (Next() is { } work)
            work();
    }

    /// <summary>Null: it is closed and nothing is left to do.</summary>
    private Action? Next()
    {
        lock (gate)
        {
            while (queue.Count == 0)
            {
                if (closed)
                    return null;
                Monitor.Wait(gate);
            }
            return queue.Dequeue();
        }
    }
}
