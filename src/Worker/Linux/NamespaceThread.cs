using System.Collections.Concurrent;

namespace Orchestrator.Worker.Linux;

/// <summary>
/// A thread of its own for work that must run inside a network namespace. It never returns to the pool, so a namespace it is left in harms nobody.
/// Work is done in the order it was given.
/// </summary>
internal sealed class NamespaceThread : IDisposable
{
    private const int StackBytes = 512 * 1024;

    private readonly BlockingCollection<Action> work = [];
    private readonly Thread thread;

    internal NamespaceThread(string name)
    {
        thread = new Thread(Obey, StackBytes) { Name = name, IsBackground = true };
        thread.Start();
    }

    /// <summary>Runs the function on the thread; its exception is the task's.</summary>
    internal Task<T> RunAsync<T>(Func<T> function)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(() =>
        {
            try
            {
                done.SetResult(function());
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        return done.Task;
    }

    internal Task RunAsync(Action action) => RunAsync(() =>
    {
        action();
        return true;
    });

    /// <summary>Finishes what was given and ends the thread.</summary>
    public void Dispose()
    {
        if (work.IsAddingCompleted)
            return;
        work.CompleteAdding();
        thread.Join();
        work.Dispose();
    }

    private void Enqueue(Action item)
    {
        try
        {
            work.Add(item);
        }
        catch (InvalidOperationException error)
        {
            throw new ObjectDisposedException($"thread '{thread.Name}' has ended", error);
        }
    }

    private void Obey()
    {
        foreach (var item in work.GetConsumingEnumerable())
            item();
    }
}
