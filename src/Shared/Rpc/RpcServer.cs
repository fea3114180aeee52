using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Shared.Rpc;

/// <summary>Answers gRPC calls that arrive at Kestrel: methods are mapped to handlers once, at start.</summary>
public sealed class RpcServer(TimeProvider time, ILogger log)
{
    private readonly Dictionary<string, Func<RpcServerExchange, Task>> methods = new(StringComparer.Ordinal);

    public RpcServer MapUnary<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, Func<TRequest, RpcServerCall, Task<TResponse>> handler) =>
        Map(method, RpcKind.Unary, async exchange =>
        {
            var request = await exchange.ReadOneAsync(method);
            await exchange.WriteAsync(method, await handler(request, exchange.Call));
        });

    public RpcServer MapServerStreaming<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, Func<TRequest, RpcServerCall, IAsyncEnumerable<TResponse>> handler) =>
        Map(method, RpcKind.ServerStreaming, async exchange =>
        {
            var request = await exchange.ReadOneAsync(method);
            await exchange.StartAsync();
            await foreach (var response in handler(request, exchange.Call).WithCancellation(exchange.Call.Stop))
                await exchange.WriteAsync(method, response);
        });

    public RpcServer MapClientStreaming<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, Func<IAsyncEnumerable<TRequest>, RpcServerCall, Task<TResponse>> handler) =>
        Map(method, RpcKind.ClientStreaming, async exchange =>
        {
            await exchange.StartAsync();
            await exchange.WriteAsync(method, await handler(exchange.ReadAllAsync(method), exchange.Call));
        });

    public RpcServer MapDuplex<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, Func<IAsyncEnumerable<TRequest>, RpcServerCall, IAsyncEnumerable<TResponse>> handler) =>
        Map(method, RpcKind.Duplex, async exchange =>
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
        await using var exchange = new RpcServerExchange(context, time);
        await exchange.RunAsync(methods.GetValueOrDefault(context.Request.Path.Value ?? ""), log);
        return true;
    }

    private RpcServer Map<TRequest, TResponse>(RpcMethod<TRequest, TResponse> method, RpcKind kind, Func<RpcServerExchange, Task> run)
    {
        if (method.Kind != kind)
            throw new ArgumentException($"{method.Path} is {method.Kind}, not {kind}", nameof(method));
        methods.Add(method.Path, run);
        return this;
    }
}
