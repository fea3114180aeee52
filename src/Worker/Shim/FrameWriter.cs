using System.Threading.Channels;

namespace Orchestrator.Worker.Shim;

/// <summary>Puts frames on a stream in order, from many senders; a slow reader at the other end holds them back.</summary>
internal sealed class FrameWriter
{
    private const int Backlog = 256;

    private readonly Channel<byte[]> frames = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(Backlog) { SingleReader = true });

    internal ValueTask SendAsync(byte[] frame, CancellationToken stop) => frames.Writer.WriteAsync(frame, stop);

    internal void Complete() => frames.Writer.TryComplete();

    internal async Task RunAsync(Stream stream, CancellationToken stop)
    {
        try
        {
            await foreach (var frame in frames.Reader.ReadAllAsync(stop))
                await stream.WriteAsync(frame, stop);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The other end is gone: whoever reads from it learns that and ends the connection.
        }
        finally
        {
            frames.Writer.TryComplete();
        }
    }
}
