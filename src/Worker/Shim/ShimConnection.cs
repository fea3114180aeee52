using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;

namespace Orchestrator.Worker.Shim;

/// <summary>One connection to a shim. When it is lost every call on it fails, and it is not used again.</summary>
internal sealed class ShimConnection : IShimCaller, IAsyncDisposable
{
    private const int ReplyBacklog = 256;

    private readonly ShimStream stream;
    private readonly FrameWriter writer = new();
    private readonly CancellationTokenSource closing = new();
    private readonly ConcurrentDictionary<uint, Channel<ShimMessage>> pending = new();
    private readonly Task reading;
    private readonly Task writing;
    private uint lastId;
    private bool disposed;

    private ShimConnection(Socket socket)
    {
        stream = new ShimStream(socket);
        writing = writer.RunAsync(stream, closing.Token);
        reading = ReadAsync();
    }

    /// <summary>Completes when the connection is of no use any more.</summary>
    internal Task Lost => reading;

    /// <exception cref="ShimException">Nobody answers there.</exception>
    internal static async Task<ShimConnection> ConnectAsync(string path, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop);
            return new ShimConnection(socket);
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw new ShimException($"connect to the shim at {path}: {error.Message}", error);
        }
    }

    public async Task<ReadOnlyMemory<byte>> CallAsync(string service, string operation, ReadOnlyMemory<byte> request, CancellationToken stop)
    {
        ReadOnlyMemory<byte> reply = default;
        await foreach (var item in StreamAsync(service, operation, request, stop))
            reply = item;
        return reply;
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> StreamAsync(
        string service, string operation, ReadOnlyMemory<byte> request, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var item in ExchangeAsync(service, operation, new ShimMessage(request), stop))
        {
            item.Close();
            yield return item.Payload;
        }
    }

    public async IAsyncEnumerable<ShimMessage> ExchangeAsync(
        string service, string operation, ShimMessage request, [EnumeratorCancellation] CancellationToken stop)
    {
        var id = Interlocked.Increment(ref lastId);
        var replies = Channel.CreateBounded<ShimMessage>(new BoundedChannelOptions(ReplyBacklog)
        {
            SingleReader = true,
            SingleWriter = true,
            AllowSynchronousContinuations = request.RepliesInline,
        });
        pending[id] = replies;
        var ended = false;
        try
        {
            if (reading.IsCompleted)
            {
                request.Close();
                throw Gone();
            }
            try
            {
                await writer.SendAsync(ShimFrame.EncodeCall(id, service, operation, request.Payload.Span, request.Files.Length), request, stop);
            }
            catch (ChannelClosedException)
            {
                throw Gone();
            }
            while (await replies.Reader.WaitToReadAsync(stop))
            {
                while (replies.Reader.TryRead(out var item))
                    yield return item;
            }
            ended = true;
        }
        finally
        {
            pending.TryRemove(id, out _);
            replies.Writer.TryComplete();
            while (replies.Reader.TryRead(out var unread))
                unread.Close();
            if (!ended && !reading.IsCompleted)
                await CancelAsync(id);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, true))
            return; // a lost connection is let go of when it is replaced, and again with its owner when that failed
        await closing.CancelAsync();
        stream.Cut();
        await reading;
        await stream.DisposeAsync();
        try
        {
            await writing;
        }
        catch (OperationCanceledException)
        {
            // as asked
        }
        closing.Dispose();
    }

    private static ShimException Gone() => new("The connection to the shim was lost.") { Lost = true };

    private async Task CancelAsync(uint id)
    {
        try
        {
            await writer.SendAsync(ShimFrame.Encode(FrameKind.Cancel, id, []), CancellationToken.None);
        }
        catch (ChannelClosedException)
        {
            // it ended with the connection
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            await FrameReader.RunAsync(stream, Take);
        }
        catch (Exception error) when (error is IOException or InvalidDataException or OperationCanceledException or ObjectDisposedException)
        {
            // told to every caller below
        }
        finally
        {
            writer.Complete();
            foreach (var replies in pending.Values)
                replies.Writer.TryComplete(Gone());
        }
    }

    private void Take(FrameKind kind, uint id, ShimMessage message)
    {
        if (!pending.TryGetValue(id, out var replies))
        {
            message.Close();
            return; // cancelled
        }
        switch (kind)
        {
            case FrameKind.Item:
                Write(replies, message);
                break;
            case FrameKind.End:
                replies.Writer.TryComplete();
                break;
            case FrameKind.Failed:
                replies.Writer.TryComplete(new ShimException(Encoding.UTF8.GetString(message.Payload.Span)));
                break;
            default:
                throw new InvalidDataException($"The shim sent a frame of kind {kind}.");
        }
    }

    /// <summary>A full backlog holds the connection, and its thread, back until its reader goes on or gives up.</summary>
    private void Write(Channel<ShimMessage> replies, ShimMessage message)
    {
        try
        {
            if (!replies.Writer.TryWrite(message))
                replies.Writer.WriteAsync(message, closing.Token).AsTask().GetAwaiter().GetResult();
        }
        catch (ChannelClosedException)
        {
            message.Close(); // the reader gave up
        }
        catch
        {
            message.Close();
            throw;
        }
    }
}
