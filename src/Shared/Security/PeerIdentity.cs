using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Security;

/// <summary>Who is on the other end, as a certificate of this cluster's CA says; the daemon's own identity on its unix socket.</summary>
public sealed record PeerIdentity(NodeId NodeId, NodeRole Role, string ClusterId)
{
    /// <summary>When the certificate was made; null where none was needed.</summary>
    public DateTimeOffset? Issued { get; init; }

    /// <summary>When the certificate ends; null where none was needed.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Who issued the certificate, and with which key; null where none was needed.</summary>
    public CertificateIssuer? Issuer { get; init; }
}

/// <summary>What a connection's handshake told of its other end. On every connection that came over TLS.</summary>
public interface IPeerFeature
{
    /// <summary>Of a certificate that stood the check; null when there was none or it did not.</summary>
    PeerIdentity? Identity { get; }

    /// <summary>Why the certificate that was presented is not accepted: every call over this connection is answered so.</summary>
    string? Refusal { get; }
}
