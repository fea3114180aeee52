using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Shim;

namespace Orchestrator.Worker.Runtime.Consoles;

/// <summary>What one session writes, from its pipe into the container as fast as that reads. The event loop's.</summary>
internal sealed class SessionInput(SafeFileHandle pipe)
{
    private const int BufferSize = 16 * 1024;
    private const int ReadsPerTurn = 16;

    private byte[] buffer = [];
    private int start;
    private int end;
    private ulong token;
    private bool final;

    /// <summary>The end of this pipe will be the end of the session's input, not just of the session.</summary>
    internal void MarkFinal() => final = true;

    internal void Begin(EventLoop loop, ContainerInput? target)
    {
        if (target is null)
            Close(loop); // whoever writes learns that nobody reads
        else if (!pipe.IsClosed)
            token = loop.Watch(pipe, () => Pump(loop, target));
    }

    internal void Close(EventLoop loop)
    {
        if (pipe.IsClosed)
            return;
        Pause(loop);
        pipe.Dispose();
    }

    private void Pump(EventLoop loop, ContainerInput target)
    {
        for (var turn = 0; turn < ReadsPerTurn && !pipe.IsClosed; turn++)
        {
            if (start == end && !Fill(loop, target))
                return;
            var count = target.Write(buffer.AsSpan(start, end - start));
            if (count == Fifo.NobodyReads)
            {
                Close(loop);
                return;
            }
            if (count < 0)
            {
                // The session's pipe fills up and holds its writer back.
                Pause(loop);
                target.WhenReady(loop, () => Continue(loop, target));
                return;
            }
            start += count;
        }
    }

    private bool Fill(EventLoop loop, ContainerInput target)
    {
        if (buffer.Length == 0)
            buffer = new byte[BufferSize];
        var count = Fifo.Read(pipe, buffer);
        if (count < 0)
            return false;
        start = 0;
        end = count;
        if (count > 0)
            return true;
        Close(loop);
        if (final)
            target.SessionEnded(loop);
        return false;
    }

    private void Continue(EventLoop loop, ContainerInput target)
    {
        if (pipe.IsClosed)
            return;
        token = loop.Watch(pipe, () => Pump(loop, target));
        Pump(loop, target);
    }

    private void Pause(EventLoop loop)
    {
        if (token != 0)
            loop.Forget(pipe, token);
        token = 0;
    }
}
