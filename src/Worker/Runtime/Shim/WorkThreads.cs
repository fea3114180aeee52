using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// Threads for work that blocks in the kernel (a launch waits for its child's exec), so that the thread pool, which answers
/// the socket, never waits for it. An idle one sleeps at once, and work wakes one alone, the one that slept last: the framework's blocking queues
/// turn around for a while first, on a processor that the child needs, and who wakes by its monitors waits again for who woke it.
/// </summary>
internal sealed class WorkThreads : IDisposable
{
    private const int StackSize = 512 * 1024;

    private readonly object gate = new();
    private readonly Queue<Action> queue = new();
    private readonly Stack<SafeFileHandle> asleep = new();
    private readonly SafeFileHandle[] beds;
    private readonly Thread[] threads;
    private bool closed;

    internal WorkThreads(int count)
    {
        beds = [.. Enumerable.Range(0, count).Select(_ => EventFd.MakeSemaphore())];
        threads = [.. beds.Select((bed, n) => new Thread(() => Run(bed), StackSize) { IsBackground = true, Name = $"launch {n + 1}" })];
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

    /// <summary>Does what was given, then ends the threads.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            while (asleep.TryPop(out var bed))
                EventFd.Raise(bed);
        }
        foreach (var thread in threads)
            thread.Join();
        foreach (var bed in beds)
            bed.Dispose();
    }

    private void Add(Action work)
    {
        SafeFileHandle? bed;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            queue.Enqueue(work);
            asleep.TryPop(out bed);
        }
        // Outside: who wakes does not find the gate shut.
        if (bed is not null)
            EventFd.Raise(bed);
    }

    private void Run(SafeFileHandle bed)
    {
        while (Next(bed, out var work))
        {
            if (work is null)
                EventFd.Wait(bed);
            else
                work();
        }
    }

    /// <summary>False: it is closed and nothing is left to do. No work: the thread is among those that sleep and will be woken.</summary>
    private bool Next(SafeFileHandle bed, out Action? work)
    {
        lock (gate)
        {
            if (queue.TryDequeue(out work))
                return true;
            if (!closed)
                asleep.Push(bed);
            return !closed;
        }
    }
}
