using System.Collections.Concurrent;
using Orchestrator.Worker.Linux;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// One thread that waits for all containers' output and ends. Pending asynchronous reads on FIFOs each hold a pool thread;
/// this holds none. Handlers run on the loop's thread and own their state there.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    private readonly Epoll epoll = new();
    private readonly Dictionary<ulong, Action> handlers = [];
    private readonly Dictionary<SafeFileHandle, ulong> watched = [];
    private readonly ConcurrentQueue<Action> posted = new();
    private readonly CancellationTokenSource over = new();
    private readonly Action<Exception> died;
    private readonly Thread thread;
    private ulong nextToken = 1;
    private volatile bool stopping;
    private volatile bool ended;

    /// <param name="died">Told when a handler threw: the loop's state cannot be trusted any more and the loop has ended.</param>
    internal EventLoop(Action<Exception> died)
    {
        this.died = died;
        thread = new Thread(Run, 256 * 1024) { IsBackground = true, Name = "events" };
        thread.Start();
    }

    /// <summary>Runs an action on the loop's thread, after what was posted before; once the loop has ended, on the caller's.</summary>
    internal void Post(Action action)
    {
        posted.Enqueue(action);
        if (!ended)
            epoll.Wake();
        if (ended)
            RunPosted();
    }

    /// <summary>On the loop's thread: calls the handler whenever the descriptor can be read (or written) or has hung up.</summary>
    internal ulong Watch(SafeFileHandle fd, Action ready, bool writing = false)
    {
        var token = nextToken++;
        epoll.Add(fd, token, writing);
        handlers.Add(token, ready);
        watched.Add(fd, token);
        return token;
    }

    /// <summary>On the loop's thread: the descriptor, still open, is watched no more.</summary>
    internal void Forget(SafeFileHandle fd, ulong token)
    {
        if (!handlers.Remove(token))
            return;
        watched.Remove(fd);
        if (!ended)
            epoll.Remove(fd);
    }

    /// <summary>
    /// Closes a descriptor after all that was asked of the loop before. Who waits for it waits no more: the kernel would go on telling of a
    /// file that lives on by a duplicate, with nobody able to stop it.
    /// </summary>
    internal void Close(SafeFileHandle fd) => Post(() =>
    {
        if (watched.TryGetValue(fd, out var token))
            Forget(fd, token);
        fd.Dispose();
    });

    /// <summary>Completes once the descriptor can be read (or written) or has hung up. One wait at a time for each descriptor.</summary>
    /// <exception cref="OperationCanceledException">Also when the loop has ended.</exception>
    internal async Task ReadyAsync(SafeFileHandle fd, bool writing, CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, over.Token);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var token = 0UL;
        Post(() => Begin());
        await using var registration = either.Token.Register(() => Post(() =>
        {
            if (done.TrySetCanceled(CancellationToken.None))
                Forget(fd, token);
        }));
        await done.Task;

        void Begin()
        {
            if (ended || fd.IsClosed || done.Task.IsCompleted)
                done.TrySetCanceled(CancellationToken.None);
            else
                token = Watch(fd, Finish, writing);
        }

        void Finish()
        {
            Forget(fd, token);
            done.TrySetResult();
        }
    }

    public void Dispose()
    {
        if (stopping)
            return;
        stopping = true;
        epoll.Wake();
        thread.Join();
        RunPosted();
        epoll.Dispose();
        over.Dispose();
    }

    private void Run()
    {
        Span<ulong> ready = stackalloc ulong[64];
        try
        {
            while (!stopping)
            {
                var count = epoll.Wait(ready);
                while (posted.TryDequeue(out var action))
                    action();
                foreach (var token in ready[..count])
                {
                    // An earlier handler of this turn may have forgotten it.
                    if (handlers.TryGetValue(token, out var handler))
                        handler();
                }
            }
        }
        catch (Exception error)
        {
            died(error);
        }
        ended = true;
        over.Cancel(); // whoever waits would wait for ever
        RunPosted();
    }

    /// <summary>After the end: what is still asked for is done by who asks.</summary>
    private void RunPosted()
    {
        lock (handlers)
        {
            while (posted.TryDequeue(out var action))
                action();
        }
    }
}
