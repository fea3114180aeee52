using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Shared.Security;

/// <summary>The other end is not who it has to be; the message is a sentence for the operator.</summary>
public sealed class PeerRefusedException(string message) : AuthenticationException(message);

/// <summary>Whom a caller means to reach.</summary>
/// <param name="Role">The role that the certificate has to name; null: either.</param>
/// <param name="Node">The node it has to name; null: any.</param>
public sealed record PeerExpectation(NodeRole? Role, NodeId? Node = null)
{
    public static PeerExpectation AnyManager { get; } = new(NodeRole.Manager);

    public static PeerExpectation AnyNode { get; } = new(Role: null);
}

/// <summary>TLS between nodes: version 1.3 alone, credentials read at each handshake, no session taken up again without one.</summary>
public static class MutualTls
{
    /// <summary>gRPC's protocol.</summary>
    public static SslApplicationProtocol Http2 => SslApplicationProtocol.Http2;

    /// <summary>The Engine API's, from manager to node.</summary>
    public static SslApplicationProtocol Http11 => SslApplicationProtocol.Http11;

    /// <summary>Connects as this node, and to whom is expected alone.</summary>
    /// <exception cref="PeerRefusedException">From the connection: somebody else answers.</exception>
    public static RpcConnect Client(
        RpcConnect transport, CredentialBox box, TimeProvider time, PeerExpectation expected, SslApplicationProtocol? protocol = null) => stop =>
    {
        var own = box.Current;
        return ShakeAsync(transport, Client(own, time, expected, protocol ?? Http2), stop);
    };

    /// <summary>For one handshake.</summary>
    public static SslClientAuthenticationOptions Client(NodeCredentials own, TimeProvider time, PeerExpectation expected, SslApplicationProtocol protocol) => new()
    {
        EnabledSslProtocols = SslProtocols.Tls13,
        AllowTlsResume = false,
        AllowRenegotiation = false,
        TargetHost = "",
        ApplicationProtocols = [protocol],
        ClientCertificateContext = own.Tls,
        CertificateChainPolicy = CertificateTrust.Policy(own.Roots, time.GetUtcNow()),
        RemoteCertificateValidationCallback = (_, certificate, chain, _) => Accept(certificate, chain, own.ClusterId, expected, time.GetUtcNow()),
    };

    /// <summary>Connects without a certificate to a manager under the root that a join token pinned.</summary>
    public static RpcConnect Joining(RpcConnect transport, X509Certificate2 root, TimeProvider time) => stop => ShakeAsync(
        transport,
        new()
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            AllowTlsResume = false,
            AllowRenegotiation = false,
            TargetHost = "",
            ApplicationProtocols = [Http2],
            CertificateChainPolicy = CertificateTrust.Policy([root], time.GetUtcNow()),
            RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                Accept(certificate, chain, clusterId: null, PeerExpectation.AnyManager, time.GetUtcNow()),
        },
        stop);

    /// <summary>
    /// Connects to whoever answers: only to ask for the roots, which are then held against the join token's digest, before anything is said
    /// that the wrong one must not hear.
    /// </summary>
    public static RpcConnect Unverified(RpcConnect transport) => stop => ShakeAsync(
        transport,
        new()
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            AllowTlsResume = false,
            AllowRenegotiation = false,
            TargetHost = "",
            ApplicationProtocols = [Http2],
            CertificateChainPolicy = CertificateTrust.Policy([], DateTimeOffset.UnixEpoch),
            RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null,
        },
        stop);

    /// <summary>
    /// The server's side, in every handshake with the credentials of that moment. A client may come without a certificate, as a joiner does. One whose certificate does not stand the check gets
    /// through the handshake, because an alert could not carry a sentence, and every call of it is answered with
    /// <see cref="IPeerFeature.Refusal"/>.
    /// </summary>
    public static void Server(ListenOptions endpoint, CredentialBox box, TimeProvider time, ILogger log) =>
        endpoint.UseTls(() => Handshake(box.Current, time, log, endpoint.IPEndPoint?.ToString() ?? ""), time, log);

    private static TlsHandshake Handshake(NodeCredentials own, TimeProvider time, ILogger log, string endpoint)
    {
        var peer = new Peer(log, endpoint);
        return new(
            new()
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                AllowTlsResume = false,
                AllowRenegotiation = false,
                ApplicationProtocols = [Http2, Http11],
                ServerCertificateContext = own.Tls,
                ClientCertificateRequired = true, // asked for; none is accepted too
                CertificateChainPolicy = CertificateTrust.Policy(own.Roots, time.GetUtcNow()),
                RemoteCertificateValidationCallback = (_, certificate, chain, _) => peer.Judge(certificate, chain, own.ClusterId, time.GetUtcNow()),
            },
            () => peer);
    }

    private static bool Accept(X509Certificate? certificate, X509Chain? chain, string? clusterId, PeerExpectation expected, DateTimeOffset now)
    {
        if (certificate is not X509Certificate2 presented || chain is null)
            throw new PeerRefusedException("whoever answers there presents no certificate: it is no node of a cluster");
        var verdict = CertificateTrust.Judge(presented, chain, clusterId, now);
        if (verdict.Identity is not { } identity)
            throw new PeerRefusedException($"whoever answers there is refused: {verdict.Refusal}");
        if (expected.Role is { } role && identity.Role != role)
            throw new PeerRefusedException($"node {identity.NodeId} answers there, which is a {identity.Role.ToString().ToLowerInvariant()} and no {role.ToString().ToLowerInvariant()}");
        if (expected.Node is { } node && identity.NodeId != node)
            throw new PeerRefusedException($"node {identity.NodeId} answers there, and node {node} was expected: the address has moved");
        return true;
    }

    private static async ValueTask<Stream> ShakeAsync(RpcConnect transport, SslClientAuthenticationOptions options, CancellationToken stop)
    {
        var tls = new SslStream(await transport(stop), leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(options, stop);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    private sealed class Peer(ILogger log, string endpoint) : IPeerFeature
    {
        public PeerIdentity? Identity { get; private set; }

        public string? Refusal { get; private set; }

        /// <summary>Keeps the verdict; the handshake goes on as long as there is one, or no certificate to judge.</summary>
        internal bool Judge(X509Certificate? certificate, X509Chain? chain, string clusterId, DateTimeOffset now)
        {
            if (certificate is not X509Certificate2 presented || chain is null)
                return certificate is null;
            var verdict = CertificateTrust.Judge(presented, chain, clusterId, now);
            (Identity, Refusal) = (verdict.Identity, verdict.Refusal);
            if (Refusal is not null)
                log.PeerRefused(endpoint, Refusal);
            return Identity is not null || Refusal is not null;
        }
    }
}
