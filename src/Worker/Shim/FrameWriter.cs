using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Shim;

/// <summary>Puts frames on a stream in order, from many senders; a slow reader at the other end holds them back. Files are closed once sent.</summary>
internal sealed class FrameWriter
{
    private const int Backlog = 256;

    private readonly Channel<(byte[] Frame, ImmutableArray<SafeFileHandle> Files)> frames =
        Channel.CreateBounded<(byte[], ImmutableArray<SafeFileHandle>)>(new BoundedChannelOptions(Backlog) { SingleReader = true });

    internal ValueTask SendAsync(byte[] frame, CancellationToken stop) => frames.Writer.WriteAsync((frame, []), stop);

    internal async ValueTask SendAsync(byte[] frame, ShimMessage message, CancellationToken stop)
    {
        try
        {
            await frames.Writer.WriteAsync((frame, message.Files), stop);
        }
        catch
        {
            message.Close();
            throw;
        }
    }

    internal void Complete() => frames.Writer.TryComplete();

    internal async Task RunAsync(ShimStream stream, CancellationToken stop)
    {
        try
        {
            await foreach (var (frame, files) in frames.Reader.ReadAllAsync(stop))
            {
                try
                {
                    await stream.WriteAsync(frame, files, stop);
                }
                finally
                {
                    Close(files);
                }
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The other end is gone, or this one was closed: whoever reads from it learns that and ends the connection.
        }
        finally
        {
            frames.Writer.TryComplete();
            while (frames.Reader.TryRead(out var unsent))
                Close(unsent.Files);
        }
    }

    private static void Close(ImmutableArray<SafeFileHandle> files)
    {
        foreach (var file in files)
            file.Dispose();
    }
}
