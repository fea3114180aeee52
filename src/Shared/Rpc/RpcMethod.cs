namespace Orchestrator.Shared.Rpc;

/// <summary>Which sides of a call are streams.</summary>
public enum RpcKind
{
    Unary,
    ServerStreaming,
    ClientStreaming,
    Duplex,
}

/// <summary>One method of a service, as both ends of the wire know it.</summary>
public sealed record RpcMethod<TRequest, TResponse>(
    RpcKind Kind,
    string Service,
    string Name,
    RpcCodec<TRequest> Request,
    RpcCodec<TResponse> Response)
{
    /// <summary>The longest message either side takes, in bytes; gRPC's customary 4 MiB.</summary>
    public int MaxMessageBytes { get; init; } = 4 << 20;

    public string Path => $"/{Service}/{Name}";
}
