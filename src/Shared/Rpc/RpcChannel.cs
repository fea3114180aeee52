using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;

namespace Orchestrator.Shared.Rpc;

/// <summary>How a channel reaches its server.</summary>
public sealed record RpcChannelOptions
{
    public required RpcConnect Connect { get; init; }

    /// <summary>The name sent as :authority; with TLS also the one the certificate is checked against.</summary>
    public string Authority { get; init; } = "localhost";

    /// <summary>TLS over the connection, with the client's certificate and the check of the server's; null for cleartext.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a silent connection with open calls is trusted before it is probed, and then how long the answer may take.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>One server, many calls at once; connections are opened when needed and kept.</summary>
/// <remarks>Calls throw <see cref="RpcException"/>, or <see cref="OperationCanceledException"/> when the caller's own token fires.</remarks>
public sealed class RpcChannel : IDisposable
{
    private readonly HttpMessageInvoker http;
    private readonly RpcChannelOptions options;
    private readonly Uri root;

    public RpcChannel(RpcChannelOptions options)
    {
        this.options = options;
        root = new Uri((options.Tls is null ? "http://" : "https://") + options.Authority);
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (_, stop) => options.Connect(stop),
            ConnectTimeout = options.ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = options.KeepAlive,
            KeepAlivePingTimeout = options.KeepAlive,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            InitialHttp2StreamWindowSize = 1 << 20,

            // Shorter than a fifth of the shortest certificate's life: nodes renew by then, and no call begins on a connection whose certificate ended.
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
        };
        if (options.Tls is { } tls)
            handler.SslOptions = tls;
        http = new HttpMessageInvoker(handler);
    }

    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, TRequest request, RpcCallOptions? call = null, CancellationToken stop = default)
    {
        Check(method, RpcKind.Unary);
        return await OneAsync(Begin(method, RpcRequestContent.One(method, request), call, stop));
    }

    public async Task<TResponse> ClientStreamAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, IAsyncEnumerable<TRequest> requests, RpcCallOptions? call = null, CancellationToken stop = default)
    {
        Check(method, RpcKind.ClientStreaming);
        return await OneAsync(Begin(method, RpcRequestContent.Many(method, requests), call, stop));
    }

    public IAsyncEnumerable<TResponse> ServerStreamAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, TRequest request, RpcCallOptions? call = null, CancellationToken stop = default)
    {
        Check(method, RpcKind.ServerStreaming);
        return ManyAsync(method, () => RpcRequestContent.One(method, request), call, stop);
    }

    /// <summary>Both sides stream. The requests are enumerated while the responses are; leaving the responses ends the call and the requests.</summary>
    public IAsyncEnumerable<TResponse> DuplexAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, IAsyncEnumerable<TRequest> requests, RpcCallOptions? call = null, CancellationToken stop = default)
    {
        Check(method, RpcKind.Duplex);
        return ManyAsync(method, () => RpcRequestContent.Many(method, requests), call, stop);
    }

    public void Dispose() => http.Dispose();

    private static void Check<TRequest, TResponse>(RpcMethod<TRequest, TResponse> method, RpcKind kind)
    {
        if (method.Kind != kind)
            throw new ArgumentException($"{method.Path} is {method.Kind}, not {kind}", nameof(method));
    }

    private static async Task<TResponse> OneAsync<TResponse>(RpcClientExchange<TResponse> exchange)
    {
        await using (exchange)
        {
            await exchange.SendAsync();
            var (any, value) = await exchange.ReadAsync();
            if (!any)
                throw new RpcException(RpcStatus.Internal, "the server ended the call with status Ok and without a message");
            var (more, _) = await exchange.ReadAsync(); // the status comes after the message
            return more ? throw new RpcException(RpcStatus.Internal, "the server sent more than one message") : value;
        }
    }

    private async IAsyncEnumerable<TResponse> ManyAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method,
        Func<RpcRequestContent> content,
        RpcCallOptions? call,
        CancellationToken stop,
        [EnumeratorCancellation] CancellationToken also = default)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, also);
        await using var exchange = Begin(method, content(), call, both.Token);
        await exchange.SendAsync();
        while (true)
        {
            var (any, value) = await exchange.ReadAsync();
            if (!any)
                yield break;
            yield return value;
        }
    }

    private RpcClientExchange<TResponse> Begin<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, RpcRequestContent content, RpcCallOptions? call, CancellationToken stop)
    {
        call ??= RpcCallOptions.Default;
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(root, method.Path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        request.Headers.TryAddWithoutValidation("user-agent", "orch");
        request.Headers.TryAddWithoutValidation("grpc-accept-encoding", "identity");
        if (call.Timeout is { } timeout)
            request.Headers.TryAddWithoutValidation("grpc-timeout", RpcHeaderText.FormatTimeout(timeout));
        foreach (var (name, value) in call.Metadata)
            request.Headers.TryAddWithoutValidation(name, value);
        return new(http, request, content, method.Response, method.MaxMessageBytes, call.Timeout, options.Time, stop);
    }
}
