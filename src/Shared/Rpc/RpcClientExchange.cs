using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.ExceptionServices;
using Orchestrator.Shared.Security;

namespace Orchestrator.Shared.Rpc;

/// <summary>One call on the client: its deadline, its response messages, and the status they end with.</summary>
internal sealed class RpcClientExchange<TResponse> : IAsyncDisposable
{
    private readonly HttpMessageInvoker http;
    private readonly HttpRequestMessage request;
    private readonly RpcRequestContent content;
    private readonly RpcCodec<TResponse> codec;
    private readonly int maxBytes;
    private readonly CancellationToken callerStop;
    private readonly CancellationTokenSource deadline;
    private readonly CancellationTokenSource stop;
    private HttpResponseMessage? response;
    private PipeReader? body;

    internal RpcClientExchange(
        HttpMessageInvoker http, HttpRequestMessage request, RpcRequestContent content, RpcCodec<TResponse> codec,
        int maxBytes, TimeSpan? timeout, TimeProvider time, CancellationToken callerStop)
    {
        this.http = http;
        this.request = request;
        this.content = content;
        this.codec = codec;
        this.maxBytes = maxBytes;
        this.callerStop = callerStop;
        deadline = timeout is { } limit && limit < TimeSpan.FromDays(30) ? new CancellationTokenSource(limit, time) : new CancellationTokenSource();
        stop = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, callerStop);
    }

    internal async Task SendAsync()
    {
        try
        {
            response = await http.SendAsync(request, stop.Token);
            CheckHeaders(response);
            body = PipeReader.Create(await response.Content.ReadAsStreamAsync(stop.Token), new StreamPipeReaderOptions(bufferSize: 16 << 10));
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            Translate(failure);
            throw;
        }
    }

    /// <summary>The next message, or nothing when the call ended well; every other end is thrown.</summary>
    internal async Task<(bool Any, TResponse Value)> ReadAsync()
    {
        try
        {
            var read = await RpcFrames.ReadAsync(body!, codec, maxBytes, RpcStatus.Internal, stop.Token);
            if (!read.Any && !IsTrailersOnly(response!))
                CheckStatus(response!.TrailingHeaders);
            return read;
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            Translate(failure);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync(); // resets the stream if it is still open, and ends the enumeration of the requests
        response?.Dispose();
        await content.Ended;
        request.Dispose();
        stop.Dispose();
        deadline.Dispose();
    }

    private static bool IsTrailersOnly(HttpResponseMessage response) => response.Headers.NonValidated.Contains("grpc-status");

    private static void CheckHeaders(HttpResponseMessage response)
    {
        if (IsTrailersOnly(response))
            CheckStatus(response.Headers);
        if (response.StatusCode != HttpStatusCode.OK)
            throw new RpcException(FromHttp(response.StatusCode), $"the server answered HTTP {(int)response.StatusCode}");
        if (response.Content.Headers.ContentType?.MediaType?.StartsWith("application/grpc", StringComparison.Ordinal) != true)
            throw new RpcException(RpcStatus.Unknown, $"the server does not speak gRPC: content type {response.Content.Headers.ContentType}");
    }

    private static void CheckStatus(HttpHeaders trailers)
    {
        if (!trailers.NonValidated.TryGetValues("grpc-status", out var values)
            || !int.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var code))
        {
            throw new RpcException(RpcStatus.Internal, "the server ended the call without a status");
        }

        if (code == 0)
            return;
        var status = Enum.IsDefined((RpcStatus)code) ? (RpcStatus)code : RpcStatus.Unknown;
        var detail = trailers.NonValidated.TryGetValues("grpc-message", out var message) ? RpcHeaderText.DecodeDetail(message.ToString()) : "";
        var metadata = RpcMetadata.From(trailers.NonValidated.SelectMany(h => h.Value, (h, v) => new KeyValuePair<string, string>(h.Key, v)));
        throw new RpcException(status, detail) { Trailers = metadata };
    }

    /// <summary>doc/http-grpc-status-mapping.md: for answers by something that is not a gRPC server.</summary>
    private static RpcStatus FromHttp(HttpStatusCode code) => (int)code switch
    {
        400 => RpcStatus.Internal,
        401 => RpcStatus.Unauthenticated,
        403 => RpcStatus.PermissionDenied,
        404 => RpcStatus.Unimplemented,
        429 or 502 or 503 or 504 => RpcStatus.Unavailable,
        _ => RpcStatus.Unknown,
    };

    private void Translate(Exception failure)
    {
        callerStop.ThrowIfCancellationRequested();
        if (deadline.IsCancellationRequested)
            throw new RpcException(RpcStatus.DeadlineExceeded, "the deadline passed", failure);
        if (content.Failure is { } ours)
            ExceptionDispatchInfo.Throw(ours);
        if (failure is OperationCanceledException)
        {
            // Neither the caller nor the deadline: the connection broke, and took the sequence of requests with it.
            throw new RpcException(RpcStatus.Unavailable, "the connection was lost", failure);
        }

        if (Innermost(failure) is PeerRefusedException refused)
            throw new RpcException(RpcStatus.Unauthenticated, refused.Message, failure);
        if (failure is HttpRequestException or IOException)
            throw new RpcException(StatusOf(failure), Innermost(failure).Message, failure);
    }

    /// <summary>The table of HTTP/2 error codes in PROTOCOL-HTTP2.md.</summary>
    private static RpcStatus StatusOf(Exception failure) => (failure as HttpProtocolException ?? failure.InnerException as HttpProtocolException)?.ErrorCode switch
    {
        0x8 => RpcStatus.Cancelled,
        0xb => RpcStatus.ResourceExhausted,
        0xc => RpcStatus.PermissionDenied,
        0x1 or 0x2 or 0x3 or 0x4 or 0x6 or 0x9 => RpcStatus.Internal,
        _ => RpcStatus.Unavailable,
    };

    private static Exception Innermost(Exception e)
    {
        while (e.InnerException is { } inner)
            e = inner;
        return e;
    }
}
