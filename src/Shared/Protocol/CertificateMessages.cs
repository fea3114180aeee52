using System.Text.Json.Serialization;
using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Protocol;

public sealed record RootRequest;

/// <summary>The cluster's roots; who asks without trusting anyone yet holds them against the digest of its join token.</summary>
public sealed record RootReply
{
    /// <summary>PEM; during a rotation both, the one that issues now first.</summary>
    public required string RootsPem { get; init; }
}

/// <summary>A host that is no member yet asks to become one.</summary>
public sealed record IssueRequest
{
    /// <summary>PKCS #10, DER. The node's id is made of its key, so that asking again after a lost answer makes no second node.</summary>
    public required byte[] Csr { get; init; }

    /// <summary>As an operator passed it on; it says which role is given.</summary>
    public required string Token { get; init; }

    /// <summary>Where others reach the node's cluster port, <c>host:port</c>; what a manager's <c>ManagerStatus.Addr</c> becomes.</summary>
    public required string Address { get; init; }

    public NodeAvailability Availability { get; init; }

    public NodeDescription? Description { get; init; }

    /// <summary>Without the token.</summary>
    public override string ToString() => $"issue to {Address}";
}

/// <summary>A member asks for its next certificate, with a new key.</summary>
public sealed record RenewRequest
{
    /// <summary>PKCS #10, DER.</summary>
    public required byte[] Csr { get; init; }
}

/// <summary>A certificate, and what its holder has to know.</summary>
public sealed record IssueReply
{
    [JsonPropertyName("NodeID")] public required NodeId NodeId { get; init; }
    [JsonPropertyName("ClusterID")] public required string ClusterId { get; init; }
    public required NodeRole Role { get; init; }

    /// <summary>The certificate and, during a rotation, the next root as signed by the former one; PEM.</summary>
    public required string CertificatePem { get; init; }

    /// <summary>PEM; the one that issues now first.</summary>
    public required string RootsPem { get; init; }

    public IReadOnlyList<ManagerPeer> Managers { get; init => field = value ?? []; } = [];
}

/// <summary>A node says that it uses its new certificate. The connection proves which one; this adds whom it trusts.</summary>
public sealed record ConfirmRequest
{
    /// <summary>PEM, as it was told.</summary>
    public required string RootsPem { get; init; }
}

public sealed record ConfirmReply;
