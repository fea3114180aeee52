using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Shim;

namespace Orchestrator.Worker.Runtime.Consoles;

/// <summary>The way into a container: its stdin's writing end or its terminal. The event loop's.</summary>
internal sealed class ContainerInput(SafeFileHandle target, bool once)
{
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Action> waiting = [];
    private ulong token;

    /// <summary>Completes when the container reads the end of its input, or has ended: whoever holds a duplicate lets it go then.</summary>
    internal Task Released => released.Task;

    internal bool Closed => target.IsClosed;

    /// <summary>A duplicate of what is written to; null when it is closed. Not the loop's own: any thread may ask.</summary>
    internal SafeFileHandle? Duplicate()
    {
        try
        {
            return Fifo.Duplicate(target);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Bytes taken; -1 when none can be now; <see cref="Fifo.NobodyReads"/>.</summary>
    internal int Write(ReadOnlySpan<byte> bytes) => Closed ? Fifo.NobodyReads : Fifo.Write(target, bytes);

    /// <summary>Calls once there is room, or nobody reads any more.</summary>
    internal void WhenReady(EventLoop loop, Action ready)
    {
        waiting.Add(ready);
        if (token == 0)
            token = loop.Watch(target, () => Wake(loop), writing: true);
    }

    /// <summary>A session has said that it writes no more.</summary>
    internal void SessionEnded(EventLoop loop)
    {
        if (once)
            Close(loop);
    }

    internal void Close(EventLoop loop)
    {
        if (Closed)
            return;
        if (token != 0)
            loop.Forget(target, token);
        token = 0;
        target.Dispose();
        released.TrySetResult();
        Resume();
    }

    private void Wake(EventLoop loop)
    {
        loop.Forget(target, token);
        token = 0;
        Resume();
    }

    private void Resume()
    {
        var ready = waiting.ToArray();
        waiting.Clear();
        foreach (var one in ready)
            one();
    }
}
