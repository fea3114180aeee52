namespace Orchestrator.Shared.Rpc;

/// <summary>gRPC's status codes (github.com/grpc/grpc, doc/statuscodes.md).</summary>
public enum RpcStatus
{
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

/// <summary>A call ended with a status other than Ok. A handler throws it to answer so; a caller catches it.</summary>
public sealed class RpcException(RpcStatus status, string detail, Exception? inner = null) : Exception($"{status}: {detail}", inner)
{
    public RpcStatus Status { get; } = status;

    public string Detail { get; } = detail;

    /// <summary>What the server sent in the trailers besides status and message.</summary>
    public RpcMetadata Trailers { get; init; } = RpcMetadata.Empty;
}
