using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Protocol;

/// <summary>A manager and where its cluster port is.</summary>
public sealed record ManagerPeer
{
    /// <summary>Empty when only the address was told.</summary>
    public NodeId NodeId { get; init; }

    /// <summary><c>host:port</c>.</summary>
    public required string Address { get; init; }
}
