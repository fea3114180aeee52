using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Security;

namespace Orchestrator.Shared.Rpc;

/// <summary>Answers gRPC calls that arrive at Kestrel: methods are mapped to handlers once, at start.</summary>
public sealed class RpcServer(TimeProvider time, ILogger log)
{
    private readonly Dictionary<string, (RpcAccess Access, Func<RpcServerExchange, Task> Run)> methods = new(StringComparer.Ordinal);

    /// <summary>Who is on the other end of a connection without TLS: on the daemon's own socket the daemon itself. Null: nobody known.</summary>
    public Func<PeerIdentity?> Local { get; init; } = () => null;

    /// <summary>
    /// What the cluster's state says against a peer whose certificate is in order, in a sentence; null lets it pass. Asked at every call
    /// from another node that is not for anyone, and at every message of its streams.
    /// </summary>
    public Func<PeerIdentity, RpcAccess, string?> Gate { get; init; } = (_, _) => null;

    /// <summary>Every method by its path, and who may call it.</summary>
    public IReadOnlyDictionary<string, RpcAccess> Methods => methods.ToDictionary(m => m.Key, m => m.Value.Access, StringComparer.Ordinal);

    public RpcServer MapUnary<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, RpcAccess access, Func<TRequest, RpcServerCall, Task<TResponse>> handler) =>
        Map(method, access, RpcKind.Unary, async exchange =>
        {
            var request = await exchange.ReadOneAsync(method);
            await exchange.WriteAsync(method, await handler(request, exchange.Call));
        });

    public RpcServer MapServerStreaming<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, RpcAccess access, Func<TRequest, RpcServerCall, IAsyncEnumerable<TResponse>> handler) =>
        Map(method, access, RpcKind.ServerStreaming, async exchange =>
        {
            var request = await exchange.ReadOneAsync(method);
            await exchange.StartAsync();
            await foreach (var response in handler(request, exchange.Call).WithCancellation(exchange.Call.Stop))
                await exchange.WriteAsync(method, response);
        });

    public RpcServer MapClientStreaming<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, RpcAccess access, Func<IAsyncEnumerable<TRequest>, RpcServerCall, Task<TResponse>> handler) =>
        Map(method, access, RpcKind.ClientStreaming, async exchange =>
        {
            await exchange.StartAsync();
            await exchange.WriteAsync(method, await handler(exchange.ReadAllAsync(method), exchange.Call));
        });

    public RpcServer MapDuplex<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, RpcAccess access, Func<IAsyncEnumerable<TRequest>, RpcServerCall, IAsyncEnumerable<TResponse>> handler) =>
        Map(method, access, RpcKind.Duplex, async exchange =>
        {
            await exchange.StartAsync(); // the client waits for headers before it sends
            await foreach (var response in handler(exchange.ReadAllAsync(method), exchange.Call).WithCancellation(exchange.Call.Stop))
                await exchange.WriteAsync(method, response);
        });

    /// <summary>Answers the request if it is a gRPC call, also one of an unknown method. False leaves the request untouched.</summary>
    public async Task<bool> TryHandleAsync(HttpContext context)
    {
        var contentType = context.Request.ContentType;
        if (contentType is null || !contentType.StartsWith("application/grpc", StringComparison.Ordinal) || !HttpMethods.IsPost(context.Request.Method))
            return false;
        if (contentType.Length > "application/grpc".Length && contentType["application/grpc".Length] is not ('+' or ';'))
            return false; // application/grpc-web is another protocol
        await using var exchange = new RpcServerExchange(context, time, Local);
        var known = methods.TryGetValue(context.Request.Path.Value ?? "", out var method);
        await exchange.RunAsync(known ? method.Run : null, new(method.Access, Gate, time), log);
        return true;
    }

    /// <summary>Holds a call that is not gRPC, on a port that takes both, to the same rule.</summary>
    /// <exception cref="RpcException">The caller may not; the detail is a sentence.</exception>
    public void Admit(HttpContext context, RpcAccess access)
    {
        var peer = context.Features.Get<IPeerFeature>();
        new RpcRule(access, Gate, time).Enter(context.Request.Path, peer, peer is null ? Local() : peer.Identity);
    }

    private RpcServer Map<TRequest, TResponse>(RpcMethod<TRequest, TResponse> method, RpcAccess access, RpcKind kind, Func<RpcServerExchange, Task> run)
    {
        if (method.Kind != kind)
            throw new ArgumentException($"{method.Path} is {method.Kind}, not {kind}", nameof(method));
        methods.Add(method.Path, (access, run));
        return this;
    }
}
