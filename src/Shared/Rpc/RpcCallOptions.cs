using Orchestrator.Shared.Security;

namespace Orchestrator.Shared.Rpc;

/// <summary>What one call brings with it besides its message.</summary>
public sealed record RpcCallOptions
{
    public static readonly RpcCallOptions Default = new();

    public RpcMetadata Metadata { get; init; } = RpcMetadata.Empty;

    /// <summary>How long the whole call may take; the server is told. Null means without end.</summary>
    public TimeSpan? Timeout
    {
        get;
        init => field = value is null || value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }
}

/// <summary>What a handler sees of the call it answers.</summary>
public sealed class RpcServerCall(RpcMetadata metadata, TimeSpan? timeout, PeerIdentity? peer, string? address, CancellationToken stop)
{
    public RpcMetadata Metadata { get; } = metadata;

    /// <summary>The time the caller gave for the whole call.</summary>
    public TimeSpan? Timeout { get; } = timeout;

    /// <summary>Who calls, by its certificate; null without one, which only methods for anyone see.</summary>
    public PeerIdentity? Peer { get; } = peer;

    /// <summary>Where the call comes from, or null on a unix socket.</summary>
    public string? Address { get; } = address;

    /// <summary>Fires when the deadline passes or the caller is gone.</summary>
    public CancellationToken Stop { get; } = stop;

    /// <summary>Sent after the last message, beside the status.</summary>
    public RpcMetadata Trailers { get; set; } = RpcMetadata.Empty;
}
