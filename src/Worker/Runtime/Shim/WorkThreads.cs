using System.Collections.Concurrent;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// Threads for work that blocks in the kernel (a launch waits for its child's exec), so that the thread pool, which answers
/// the socket, never waits for it.
/// </summary>
internal sealed class WorkThreads : IDisposable
{
    private const int StackSize = 512 * 1024;

    private readonly BlockingCollection<Action> queue = [];
    private readonly Thread[] threads;

    internal WorkThreads(int count)
    {
        threads = [.. Enumerable.Range(1, count).Select(n => new Thread(Run, StackSize) { IsBackground = true, Name = $"launch {n}" })];
        foreach (var thread in threads)
            thread.Start();
    }

    /// <summary>Does the work on one of the threads; its exception is the task's.</summary>
    internal Task<T> RunAsync<T>(Func<T> work)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        queue.Add(() =>
        {
            try
            {
                result.SetResult(work());
            }
            catch (Exception error)
            {
                result.SetException(error);
            }
        });
        return result.Task;
    }

    public void Dispose()
    {
        queue.CompleteAdding();
        foreach (var thread in threads)
            thread.Join();
        queue.Dispose();
    }

    private void Run()
    {
        foreach (var work in queue.GetConsumingEnumerable())
            work();
    }
}
