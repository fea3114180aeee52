using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Linux;

/// <summary>
/// A process's stdin, stdout or stderr by read(2) and write(2) alone: .NET's console streams initialise the terminal when they are written to, and
/// its file streams keep an offset of their own, which a shell that shares the file does not see.
/// </summary>
internal sealed unsafe partial class StandardStream(int descriptor) : Stream
{
    private const int Interrupted = 4;
    private const int Again = 11;
    private const int IoError = 5;
    private const short PollIn = 1;
    private const short PollOut = 4;

    public override bool CanRead => descriptor == 0;

    public override bool CanWrite => descriptor != 0;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            nint count;
            fixed (byte* into = buffer)
                count = read(descriptor, into, buffer.Length);
            if (count >= 0)
                return (int)count;
            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    break;
                case Again:
                    Wait(PollIn);
                    break;
                case IoError: // a terminal whose other end has gone
                    return 0;
                default:
                    throw Failed("read");
            }
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            nint count;
            fixed (byte* from = buffer)
                count = write(descriptor, from, buffer.Length);
            if (count >= 0)
                buffer = buffer[(int)count..];
            else if (Marshal.GetLastPInvokeError() == Again)
                Wait(PollOut);
            else if (Marshal.GetLastPInvokeError() != Interrupted)
                throw Failed("write");
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>On the caller's thread: the framework would start a pool of threads for it.</summary>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
        // Nothing is held back.
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Somebody made the file non-blocking, and it is ours as well as his.</summary>
    private void Wait(short events)
    {
        var one = new PollDescriptor { Descriptor = descriptor, Events = events };
        _ = poll(&one, 1, -1);
    }

    /// <summary>With the errno as HResult, as .NET's own streams have it.</summary>
    private IOException Failed(string call)
    {
        var errno = Marshal.GetLastPInvokeError();
        return new IOException($"{call} {descriptor switch { 0 => "stdin", 1 => "stdout", _ => "stderr" }}: {Marshal.GetPInvokeErrorMessage(errno)}", errno);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        internal int Descriptor;
        internal short Events;
        internal short Happened;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, byte* buffer, nint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte* buffer, nint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollDescriptor* descriptors, nuint count, int timeout);
}
