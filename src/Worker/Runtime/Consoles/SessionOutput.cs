using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Shim;

namespace Orchestrator.Worker.Runtime.Consoles;

/// <summary>
/// One stream of a container's output on its way to one session: a pipe, and what the session is slow to read in a file without a name. So nobody
/// waits for a session and nothing that it will read is lost. The event loop's.
/// </summary>
internal sealed class SessionOutput(SafeFileHandle pipe, string spillDirectory, Action<string> gaveUp)
{
    private const int ChunkSize = 64 * 1024;
    private const int ChunksPerTurn = 16;

    /// <summary>A session that is so far behind is cut off: its reader has stopped for good, and the disk is everybody's.</summary>
    internal const long MostBehind = 1L << 30;

    private SafeFileHandle? spill;
    private long read;
    private long written;
    private ulong token;
    private bool ending;

    internal bool Closed => pipe.IsClosed;

    internal void Write(EventLoop loop, ReadOnlySpan<byte> bytes)
    {
        if (Closed || ending)
            return;
        try
        {
            if (read == written)
            {
                var count = Fifo.Write(pipe, bytes);
                if (count == Fifo.NobodyReads)
                {
                    Close(loop);
                    return;
                }
                bytes = bytes[Math.Max(count, 0)..];
            }
            if (!bytes.IsEmpty)
                Keep(loop, bytes);
        }
        catch (IOException error)
        {
            gaveUp(error.Message);
            Close(loop);
        }
    }

    /// <summary>Nothing more comes: closed once the session has read what there is.</summary>
    internal void End(EventLoop loop)
    {
        ending = true;
        if (!Closed && read == written)
            Close(loop);
    }

    /// <summary>The session is gone.</summary>
    internal void Close(EventLoop loop)
    {
        if (Closed)
            return;
        if (token != 0)
            loop.Forget(pipe, token);
        token = 0;
        pipe.Dispose();
        spill?.Dispose();
    }

    private void Keep(EventLoop loop, ReadOnlySpan<byte> bytes)
    {
        if (written - read + bytes.Length > MostBehind)
            throw new IOException($"it is {MostBehind >> 20} MiB behind");
        spill ??= UnnamedFile.Create(spillDirectory);
        RandomAccess.Write(spill, bytes, written);
        written += bytes.Length;
        if (token == 0)
            token = loop.Watch(pipe, () => Drain(loop), writing: true);
    }

    private void Drain(EventLoop loop)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            for (var turn = 0; turn < ChunksPerTurn && read < written; turn++)
            {
                var length = RandomAccess.Read(spill!, buffer.AsSpan(0, (int)Math.Min(ChunkSize, written - read)), read);
                var count = Fifo.Write(pipe, buffer.AsSpan(0, length));
                if (count == Fifo.NobodyReads)
                {
                    Close(loop);
                    return;
                }
                if (count < 0)
                    return;
                read += count;
            }
            if (read < written)
                return;
            RandomAccess.SetLength(spill!, 0);
            read = written = 0;
            loop.Forget(pipe, token);
            token = 0;
            if (ending)
                Close(loop);
        }
        catch (IOException error)
        {
            gaveUp(error.Message);
            Close(loop);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
