using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Shim;

/// <summary>
/// Puts frames on a stream in order, from many senders. While nothing waits, a sender's own thread does it; what the other end does not take at once
/// is left to <see cref="RunAsync"/>, and a slow reader there holds the senders back. Files are closed once sent.
/// </summary>
internal sealed class FrameWriter
{
    private const int Backlog = 256;

    private readonly Channel<Waiting> frames = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(Backlog) { SingleReader = true });
    private readonly Lock gate = new();
    private ShimStream? idle; // the stream, from the start on while nothing waits
    private ShimStream? stream;
    private int waiting;

    internal ValueTask SendAsync(byte[] frame, CancellationToken stop) => SendAsync(frame, new ShimMessage(default), stop);

    /// <exception cref="ChannelClosedException">The connection is over.</exception>
    internal async ValueTask SendAsync(byte[] frame, ShimMessage message, CancellationToken stop)
    {
        var left = new Waiting(frame, message.Files);
        try
        {
            if (SendNow(ref left))
                return;
            await frames.Writer.WriteAsync(left, stop);
        }
        catch
        {
            Close(left.Files);
            if (Interlocked.Decrement(ref waiting) == 0)
                BeIdle();
            throw;
        }
    }

    internal void Complete()
    {
        lock (gate)
            stream = idle = null;
        frames.Writer.TryComplete();
    }

    internal async Task RunAsync(ShimStream to, CancellationToken stop)
    {
        Begin(to);
        try
        {
            await foreach (var (frame, files) in frames.Reader.ReadAllAsync(stop))
            {
                try
                {
                    await to.WriteAsync(frame, files, stop);
                }
                finally
                {
                    Close(files);
                }
                if (Interlocked.Decrement(ref waiting) == 0)
                    BeIdle();
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The other end is gone, or this one was closed: whoever reads from it learns that and ends the connection.
        }
        finally
        {
            Complete();
            while (frames.Reader.TryRead(out var unsent))
                Close(unsent.Files);
        }
    }

    private void Begin(ShimStream to)
    {
        lock (gate)
        {
            stream = to;
            if (waiting == 0)
                idle = to;
        }
    }

    private void BeIdle()
    {
        lock (gate)
        {
            if (waiting == 0)
                idle = stream;
        }
    }

    /// <summary>False: it has still to be given to <see cref="RunAsync"/>.</summary>
    private bool SendNow(ref Waiting left)
    {
        lock (gate)
        {
            var sent = 0;
            try
            {
                sent = idle?.TryWrite(left.Frame.Span, left.Files) ?? 0;
            }
            catch (IOException)
            {
                // the one who waits for it meets the same
            }
            if (sent > 0)
            {
                Close(left.Files);
                left = new Waiting(left.Frame[sent..], []);
                if (left.Frame.IsEmpty)
                    return true;
            }
            idle = null;
            Interlocked.Increment(ref waiting);
            // No other frame may come between the two parts of one, and nothing waits yet, so there is room.
            return sent > 0 && (frames.Writer.TryWrite(left) ? true : throw new ChannelClosedException());
        }
    }

    private static void Close(ImmutableArray<SafeFileHandle> files)
    {
        foreach (var file in files)
            file.Dispose();
    }

    /// <summary>A frame, or the rest of one, on its way.</summary>
    private readonly record struct Waiting(ReadOnlyMemory<byte> Frame, ImmutableArray<SafeFileHandle> Files);
}
