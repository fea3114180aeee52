using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Runtime.Consoles;
using Orchestrator.Worker.Runtime.Logs;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>A container's output: two FIFOs read on the event loop into one log file.</summary>
internal sealed class ContainerOutput : IDisposable
{
    private const int ReadSize = 64 * 1024;
    private const int ReadsPerTurn = 16;

    /// <summary>More than a FIFO holds, and an end for a writer in another pid namespace that never stops.</summary>
    private const int LastReads = 64;

    /// <summary>For a FIFO whose writer fills it: both sides are woken less often. Idle ones stay small, for the kernel keeps a table for each.</summary>
    private const int WideFifo = 256 * 1024;

    private readonly LogFile log;
    private readonly OutputSpool spool;
    private readonly TimeProvider time;
    private readonly Stream[] streams;
    private readonly ArrayBufferWriter<byte> lines = new(1024);
    private readonly Action<Exception> failed;
    private bool broken;

    /// <param name="target">Where the log lies.</param>
    /// <param name="stdout">The reading end, or a terminal's master.</param>
    /// <param name="stderr">The other reading end; none with a terminal.</param>
    /// <param name="spool">Where output waits for its line's end.</param>
    /// <param name="time">Stamps lines.</param>
    /// <param name="failed">Told once when the log cannot be written; output is then read and dropped, so that the container goes on.</param>
    internal ContainerOutput(LogTarget target, SafeFileHandle stdout, SafeFileHandle? stderr, OutputSpool spool, TimeProvider time, Action<Exception> failed)
    {
        log = new LogFile(target, failed);
        this.spool = spool;
        this.time = time;
        this.failed = failed;
        var output = new Stream(0, stdout, new LineSplitter("stdout"u8.ToArray(), LineFormat.Of(target)));
        streams = stderr is null ? [output] : [output, new Stream(1, stderr, new LineSplitter("stderr"u8.ToArray(), LineFormat.Of(target)))];
    }

    /// <summary>Before the start, of a container that another shim has started: goes on where that one was.</summary>
    internal void Resume()
    {
        if (spool.Resume() is not { } noted)
            return;
        log.CutTo(noted.Size, noted.Inode);
        foreach (var stream in streams)
        {
            stream.Splitter.Take(spool.Unlogged(stream.Number), time.GetUtcNow(), lines);
            Flush();
            spool.Commit(stream.Number, stream.Splitter.Held, Position);
        }
    }

    /// <summary>The loop's: who sees the output besides the log.</summary>
    internal ContainerSessions? Sessions { get; set; }

    /// <summary>On the loop's thread.</summary>
    internal void Start(EventLoop loop)
    {
        foreach (var stream in streams)
            stream.Token = loop.Watch(stream.Fifo, () => Read(loop, stream, ReadsPerTurn));
    }

    /// <summary>On the loop's thread: takes what is there and closes; whoever still holds the other end writes into nothing.</summary>
    internal void Finish(EventLoop loop)
    {
        foreach (var stream in streams)
        {
            Read(loop, stream, LastReads);
            Close(loop, stream);
        }
        log.Dispose();
        spool.Dispose();
        Sessions?.Finish(loop);
    }

    public void Dispose()
    {
        log.Dispose();
        spool.Dispose();
        foreach (var stream in streams)
            stream.Fifo.Dispose();
    }

    private LogPosition Position => new(log.Size, log.Inode);

    private void Read(EventLoop loop, Stream stream, int turns)
    {
        if (stream.Fifo.IsClosed)
            return;
        var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
        try
        {
            // A container that never stops writing must not keep the others waiting: the rest comes in the next turn.
            for (var turn = 0; turn < turns; turn++)
            {
                var count = spool.Take(stream.Number, stream.Fifo, buffer, Position);
                if (count < 0)
                    break;
                if (count == 0)
                {
                    Close(loop, stream);
                    break;
                }
                Sessions?.Write(loop, stream.Number, buffer.AsSpan(0, count));
                stream.Splitter.Take(buffer.AsSpan(0, count), time.GetUtcNow(), lines);
                Flush();
                spool.Commit(stream.Number, stream.Splitter.Held, Position);
                if (turn == 0 && count == ReadSize)
                    stream.Widen();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Close(EventLoop loop, Stream stream)
    {
        if (stream.Fifo.IsClosed)
            return;
        stream.Splitter.Finish(time.GetUtcNow(), lines);
        Flush();
        spool.Commit(stream.Number, 0, Position);
        loop.Forget(stream.Fifo, stream.Token);
        stream.Fifo.Dispose();
    }

    private void Flush()
    {
        if (lines.WrittenCount == 0)
            return;
        try
        {
            if (!broken)
                log.Append(lines.WrittenSpan);
        }
        catch (IOException error)
        {
            broken = true;
            failed(error);
        }
        lines.ResetWrittenCount();
    }

    private sealed class Stream(int number, SafeFileHandle fifo, LineSplitter splitter)
    {
        internal int Number { get; } = number;

        internal SafeFileHandle Fifo { get; } = fifo;

        internal LineSplitter Splitter { get; } = splitter;

        internal ulong Token { get; set; }

        private bool wide;

        internal void Widen()
        {
            if (!wide)
                Linux.Fifo.Widen(Fifo, WideFifo);
            wide = true;
        }
    }
}
