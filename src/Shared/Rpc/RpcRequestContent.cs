using System.Net;
using System.Net.Http.Headers;

namespace Orchestrator.Shared.Rpc;

/// <summary>The messages of a request, written as they come.</summary>
internal sealed class RpcRequestContent : HttpContent
{
    private const int EnoughBytes = 64 << 10;
    private readonly Func<Stream, CancellationToken, Task> write;

    private RpcRequestContent(string suffix, Func<Stream, CancellationToken, Task> write)
    {
        this.write = write;
        Headers.ContentType = new MediaTypeHeaderValue("application/grpc" + suffix);
    }

    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool started;

    /// <summary>Completes when the sequence of requests is not enumerated any more; the caller may then give it to another call.</summary>
    internal Task Ended => started ? ended.Task : Task.CompletedTask;

    /// <summary>What the caller's own sequence of requests threw; it explains why the call broke.</summary>
    internal Exception? Failure { get; private set; }

    internal static RpcRequestContent One<TRequest, TResponse>(RpcMethod<TRequest, TResponse> method, TRequest request) =>
        new(method.Request.ContentSuffix, (stream, stop) => WriteAsync(stream, method, request, stop));

    internal static RpcRequestContent Many<TRequest, TResponse>(RpcMethod<TRequest, TResponse> method, IAsyncEnumerable<TRequest> requests) =>
        new(method.Request.ContentSuffix, async (stream, stop) =>
        {
            await stream.FlushAsync(stop); // the headers leave now, the first message perhaps much later
            await using var messages = requests.GetAsyncEnumerator(stop);
            using var buffer = new FrameBuffer();
            while (true)
            {
                // What is there already leaves together; nothing waits for what is not.
                var next = messages.MoveNextAsync();
                if (buffer.Written.Length >= EnoughBytes || !next.IsCompleted)
                    await LeaveAsync(stream, buffer, stop);
                if (!await next)
                    break;
                RpcFrames.Write(buffer, method.Request, messages.Current, method.MaxMessageBytes);
            }

            await LeaveAsync(stream, buffer, stop);
        });

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken stop)
    {
        started = true;
        try
        {
            await write(stream, stop);
        }
        catch (Exception failure) when (failure is not (IOException or OperationCanceledException))
        {
            Failure = failure;
            throw;
        }
        finally
        {
            ended.TrySetResult();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = -1;
        return false;
    }

    private static async Task LeaveAsync(Stream stream, FrameBuffer buffer, CancellationToken stop)
    {
        if (buffer.Written.IsEmpty)
            return;
        await stream.WriteAsync(buffer.WrittenMemory, stop);
        await stream.FlushAsync(stop);
        buffer.Clear();
    }

    private static async Task WriteAsync<TRequest, TResponse>(
        Stream stream, RpcMethod<TRequest, TResponse> method, TRequest request, CancellationToken stop)
    {
        using var buffer = new FrameBuffer();
        RpcFrames.Write(buffer, method.Request, request, method.MaxMessageBytes);
        await LeaveAsync(stream, buffer, stop);
    }
}
