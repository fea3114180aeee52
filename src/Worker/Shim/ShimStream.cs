using System.Collections.Immutable;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Shim;

/// <summary>The bytes of a unix socket, and the open files that came with them, in their order. One reader and one writer at a time.</summary>
/// <remarks>What it refuses it refuses itself, and not by Shared's streams: the shim's process has that assembly not in memory.</remarks>
internal sealed class ShimStream(Socket socket) : Stream
{
    private static readonly TimeSpan PollSpell = TimeSpan.FromMilliseconds(200);

    private readonly Queue<SafeFileHandle> files = new();

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The files that were sent with bytes read so far, the oldest first.</summary>
    internal ImmutableArray<SafeFileHandle> TakeFiles(int count)
    {
        if (count > files.Count)
            throw new InvalidDataException($"A frame on the shim's socket speaks of {count} open files, {files.Count} came.");
        var taken = ImmutableArray.CreateBuilder<SafeFileHandle>(count);
        for (var i = 0; i < count; i++)
            taken.Add(files.Dequeue());
        return taken.MoveToImmutable();
    }

    /// <summary>Holds the thread until something comes, the other end closes, or <see cref="Cut"/> ends it.</summary>
    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
            return 0;
        try
        {
            while (true)
            {
                var count = DescriptorSocket.Receive(socket.SafeHandle, buffer, files);
                if (count >= 0)
                    return count;
                socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectRead);
            }
        }
        catch (Exception error) when (error is SocketException or LinuxException)
        {
            throw new IOException(error.Message, error);
        }
    }

    /// <summary>This end reads an end from now on, also who waits for bytes already; it may still write.</summary>
    internal void Cut()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Receive);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // it has ended by itself
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            while (!buffer.IsEmpty)
                buffer = buffer[await socket.SendAsync(buffer, SocketFlags.None, cancellationToken)..];
        }
        catch (SocketException error)
        {
            throw new IOException(error.Message, error);
        }
    }

    /// <summary>Sends what the other end takes at once, the files with the first of the bytes; how many bytes that was.</summary>
    /// <exception cref="IOException">There is no other end.</exception>
    internal int TryWrite(ReadOnlySpan<byte> buffer, ImmutableArray<SafeFileHandle> with)
    {
        try
        {
            return Math.Max(DescriptorSocket.Send(socket.SafeHandle, buffer, with.AsSpan()), 0);
        }
        catch (Exception error) when (error is LinuxException or ObjectDisposedException)
        {
            throw new IOException(error.Message, error);
        }
    }

    /// <summary>Sends the files with the first of the bytes.</summary>
    internal async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, ImmutableArray<SafeFileHandle> with, CancellationToken stop)
    {
        if (!with.IsEmpty)
        {
            int sent;
            while ((sent = DescriptorSocket.Send(socket.SafeHandle, buffer.Span, with.AsSpan())) < 0)
            {
                stop.ThrowIfCancellationRequested();
                // Only when the other end has not read 200 KB: the framework has no wait for room that sends nothing.
                socket.Poll(PollSpell, SelectMode.SelectWrite);
            }
            buffer = buffer[sent..];
        }
        await WriteAsync(buffer, stop);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush()
    {
        // nothing is held back
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            socket.Dispose();
            while (files.TryDequeue(out var file))
                file.Dispose();
        }
        base.Dispose(disposing);
    }
}
