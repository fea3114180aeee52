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
    private readonly ConcurrentQueue<Action> posted = new();
    private readonly Action<Exception> died;
    private readonly Thread thread;
    private ulong nextToken = 1;
    private volatile bool stopping;

    /// <param name="died">Told when a handler threw: the loop's state cannot be trusted any more and the loop has ended.</param>
    internal EventLoop(Action<Exception> died)
    {
        this.died = died;
        thread = new Thread(Run, 256 * 1024) { IsBackground = true, Name = "events" };
        thread.Start();
    }

    /// <summary>Runs an action on the loop's thread, after what was posted before.</summary>
    internal void Post(Action action)
    {
        posted.Enqueue(action);
        epoll.Wake();
    }

    /// <summary>On the loop's thread: calls the handler whenever the descriptor can be read or has hung up.</summary>
    internal ulong Watch(SafeFileHandle fd, Action ready)
    {
        var token = nextToken++;
        handlers.Add(token, ready);
        epoll.Add(fd, token);
        return token;
    }

    /// <summary>On the loop's thread: the descriptor, still open, is watched no more.</summary>
    internal void Forget(SafeFileHandle fd, ulong token)
    {
        if (handlers.Remove(token))
            epoll.Remove(fd);
    }

    public void Dispose()
    {
        stopping = true;
        epoll.Wake();
        thread.Join();
        epoll.Dispose();
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
    }
}
