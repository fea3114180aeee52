using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Security;

namespace Orchestrator.Shared.Rpc;

/// <summary>One call on the server: its messages, its deadline and its end.</summary>
internal sealed class RpcServerExchange : IAsyncDisposable
{
    private readonly HttpContext http;
    private readonly CancellationTokenSource? deadline;
    private readonly CancellationTokenSource? stop;
    private readonly IPeerFeature? peer;
    private RpcRule? rule;

    internal RpcServerExchange(HttpContext http, TimeProvider time, Func<PeerIdentity?> local)
    {
        this.http = http;
        var timeout = RpcHeaderText.ParseTimeout(http.Request.Headers["grpc-timeout"]);
        // a timer takes at most 2^32 - 2 ms; who waits longer than a month waits without end
        if (timeout is { } limit && limit < TimeSpan.FromDays(30))
        {
            deadline = new CancellationTokenSource(limit, time);
            stop = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, http.RequestAborted);
        }

        var metadata = RpcMetadata.From(http.Request.Headers);
        peer = http.Features.Get<IPeerFeature>();
        Call = new(metadata, timeout, peer is null ? local() : peer.Identity, http.Connection.RemoteIpAddress is { } ip ? $"{ip}:{http.Connection.RemotePort}" : null, stop?.Token ?? http.RequestAborted);
    }

    internal RpcServerCall Call { get; }

    internal async Task RunAsync(Func<RpcServerExchange, Task>? handler, RpcRule access, ILogger log)
    {
        Prepare();
        try
        {
            var encoding = http.Request.Headers["grpc-encoding"].ToString();
            if (encoding is not ("" or "identity"))
                throw new RpcException(RpcStatus.Unimplemented, $"grpc-encoding {encoding} is not supported; send identity");
            if (handler is null)
                throw new RpcException(RpcStatus.Unimplemented, $"no method {http.Request.Path}");
            access.Enter(http.Request.Path, peer, Call.Peer);
            rule = access;
            await handler(this);
            Finish(RpcStatus.Ok, "", Call.Trailers);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // nobody is left to be answered, and whatever broke after that broke because of it
        }
        catch (RpcException refusal)
        {
            Finish(refusal.Status, refusal.Detail, refusal.Trailers);
        }
        catch (OperationCanceledException) when (deadline is { IsCancellationRequested: true })
        {
            Finish(RpcStatus.DeadlineExceeded, "the deadline passed", RpcMetadata.Empty);
        }
        catch (Exception failure)
        {
            log.HandlerFailed(failure, http.Request.Path);
            Finish(RpcStatus.Internal, $"the handler failed: {failure.Message}", RpcMetadata.Empty);
        }
    }

    internal Task StartAsync() => http.Response.StartAsync(Call.Stop);

    internal async Task<TRequest> ReadOneAsync<TRequest, TResponse>(RpcMethod<TRequest, TResponse> method)
    {
        var (any, value) = await RpcFrames.ReadAsync(http.Request.BodyReader, method.Request, method.MaxMessageBytes, RpcStatus.InvalidArgument, Call.Stop);
        return any ? value : throw new RpcException(RpcStatus.InvalidArgument, "the call carries no message");
    }

    internal async IAsyncEnumerable<TRequest> ReadAllAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, [EnumeratorCancellation] CancellationToken also = default)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(Call.Stop, also);
        while (true)
        {
            var (any, value) = await RpcFrames.ReadAsync(
                http.Request.BodyReader, method.Request, method.MaxMessageBytes, RpcStatus.InvalidArgument, both.Token);
            if (!any)
                yield break;
            rule?.StillHolds(peer);
            yield return value;
        }
    }

    internal async Task WriteAsync<TRequest, TResponse>(RpcMethod<TRequest, TResponse> method, TResponse value)
    {
        rule?.StillHolds(peer);
        RpcFrames.Write(http.Response.BodyWriter, method.Response, value, method.MaxMessageBytes);
        await http.Response.BodyWriter.FlushAsync(Call.Stop);
    }

    public ValueTask DisposeAsync()
    {
        stop?.Dispose();
        deadline?.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Prepare()
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
        if (http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
        http.Response.ContentType = http.Request.ContentType;
        http.Response.Headers["grpc-accept-encoding"] = "identity";
    }

    private void Finish(RpcStatus status, string detail, RpcMetadata trailers)
    {
        http.Response.AppendTrailer("grpc-status", ((int)status).ToString(CultureInfo.InvariantCulture));
        if (detail.Length > 0)
            http.Response.AppendTrailer("grpc-message", RpcHeaderText.EncodeDetail(detail));
        foreach (var (name, value) in trailers)
            http.Response.AppendTrailer(name, value);
    }
}
