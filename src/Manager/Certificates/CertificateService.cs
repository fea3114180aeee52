using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Manager.Certificates;

/// <summary>The cluster's CA on one manager. Every manager has the key and answers alike; what it writes goes through the log.</summary>
internal sealed class CertificateService(ICluster cluster, TimeProvider time, ILogger log) : ICertificates
{
    public Task<RootReply> RootAsync(CancellationToken stop) => Task.FromResult(new RootReply { RootsPem = Security(cluster.Current).TrustedRootsPem });

    public async Task<IssueReply> IssueAsync(IssueRequest request, CancellationToken stop)
    {
        // Read behind everything that was written before: a token that was rotated a moment ago is refused by every manager.
        var state = await FreshAsync(stop);
        var role = Admit(Security(state), request);
        var node = Named(request.Csr);
        if (!state.Nodes.ContainsKey(node))
            await JoinAsync(node, role, request, stop);
        return Certify(cluster.Current, node, request.Csr);
    }

    public async Task<IssueReply> RenewAsync(RenewRequest request, PeerIdentity peer, CancellationToken stop) =>
        Certify(await FreshAsync(stop), peer.NodeId, request.Csr);

    public async Task<ConfirmReply> ConfirmAsync(ConfirmRequest request, PeerIdentity peer, CancellationToken stop)
    {
        if (peer.Issuer is not { } issuer)
            throw new RpcException(RpcStatus.FailedPrecondition, "a node confirms its certificate over a connection that it made with it");
        var state = await FreshAsync(stop);
        var roots = Security(state).TrustedRootsPem;
        var tls = new TlsInfo
        {
            TrustRoot = Same(request.RootsPem, roots) ? roots : request.RootsPem,
            CertIssuerSubject = issuer.Subject,
            CertIssuerPublicKey = issuer.PublicKey,
        };
        if (state.Nodes.TryGetValue(peer.NodeId, out var node) && node.Description?.TlsInfo != tls)
            await ProposeAsync(new ConfirmNodeTls(peer.NodeId, tls) { At = time.GetUtcNow() }, stop);
        return new();
    }

    private static ClusterSecurity Security(ClusterState state) =>
        state.Security ?? throw new RpcException(RpcStatus.Unavailable, "this cluster has no CA yet: it is being made; try again");

    private static NodeRole Admit(ClusterSecurity security, IssueRequest request)
    {
        if (!JoinToken.TryParse(request.Token, out var token))
            throw new RpcException(RpcStatus.InvalidArgument, "what was given as a token is none: it reads SWMTKN-1-DIGEST-SECRET");
        if (security.Admits(token) is not { } role)
        {
            throw new RpcException(
                RpcStatus.Unauthenticated,
                "the join token is not valid: it was rotated, or is another cluster's; print the one that is with \"orch swarm join-token worker\" or \"orch swarm join-token manager\" on a manager");
        }

        return role == NodeRole.Manager && request.Address.Length == 0
            ? throw new RpcException(RpcStatus.InvalidArgument, "a manager has to say where the others reach it: no address was given")
            : role;
    }

    /// <summary>The id of a node is made from its first key, so that a second try after a lost answer is the same node.</summary>
    private static NodeId Named(byte[] signingRequest)
    {
        try
        {
            var key = CertificateRequest.LoadSigningRequest(signingRequest, HashAlgorithmName.SHA256).PublicKey.ExportSubjectPublicKeyInfo();
            return new(IdText.Cluster(SHA256.HashData(key)));
        }
        catch (CryptographicException damaged)
        {
            throw new RpcException(RpcStatus.InvalidArgument, $"the signing request can't be used: {damaged.Message}", damaged);
        }
    }

    private async Task JoinAsync(NodeId id, NodeRole role, IssueRequest request, CancellationToken stop)
    {
        var node = new Node
        {
            Id = id,
            Spec = new() { Role = role, Availability = request.Availability },
            Description = request.Description,
            Status = new() { Addr = Host(request.Address) },
            ClusterAddr = request.Address.Length > 0 ? request.Address : null,
            ManagerStatus = role == NodeRole.Manager ? new() { Addr = request.Address } : null,
        };
        await ProposeAsync(new JoinNode(node) { At = time.GetUtcNow(), RequestId = $"join-{id}" }, stop);
        log.NodeJoined(id.Value, role, request.Address);
    }

    /// <summary>
    /// This manager's time, or just after the node's demotion where that is later by another manager's clock: a node that was promoted again gets
    /// a certificate that counts.
    /// </summary>
    private DateTimeOffset Now(ClusterState state, NodeId id)
    {
        var now = time.GetUtcNow();
        return state.Revocations.TryGetValue(id, out var revocation) && revocation.At >= now ? revocation.At + TimeSpan.FromMilliseconds(1) : now;
    }

    private IssueReply Certify(ClusterState state, NodeId id, byte[] signingRequest)
    {
        if (!state.Nodes.TryGetValue(id, out var node))
            throw new RpcException(RpcStatus.PermissionDenied, PeerGate.Removed(id));
        var security = Security(state);
        var role = node.ManagerStatus is null ? NodeRole.Worker : NodeRole.Manager;
        try
        {
            using var certificate = security.Authority().Issue(
                signingRequest, id, role, state.Swarm!.Id, Now(state, id), state.Swarm.Spec.CaConfig.NodeCertExpiry);
            log.Issued(id.Value, role, new DateTimeOffset(certificate.NotAfter));
            return new()
            {
                NodeId = id,
                ClusterId = state.Swarm.Id,
                Role = role,
                CertificatePem = certificate.ExportCertificatePem() + "\n" + (security.Rotation is { } rotation ? rotation.CrossSignedPem + "\n" : ""),
                RootsPem = security.TrustedRootsPem,
                Managers =
                [
                    .. state.Nodes.Values.Where(n => n.ManagerStatus is { Addr.Length: > 0 })
                        .Select(n => new ManagerPeer { NodeId = n.Id, Address = n.ManagerStatus!.Addr }),
                ],
            };
        }
        catch (CryptographicException damaged)
        {
            throw new RpcException(RpcStatus.InvalidArgument, $"the signing request can't be used: {damaged.Message}", damaged);
        }
    }

    private async Task<ClusterState> FreshAsync(CancellationToken stop)
    {
        try
        {
            return await cluster.FreshAsync(stop);
        }
        catch (ClusterUnavailableException without)
        {
            throw new RpcException(RpcStatus.Unavailable, without.Message, without);
        }
    }

    private async Task ProposeAsync(Command command, CancellationToken stop)
    {
        try
        {
            if ((await cluster.ProposeAsync(command, stop)).Refusal is { } refusal)
                throw new RpcException(RpcStatus.FailedPrecondition, refusal.Message);
        }
        catch (ClusterUnavailableException without)
        {
            throw new RpcException(RpcStatus.Unavailable, without.Message, without);
        }
    }

    private static bool Same(string a, string b)
    {
        try
        {
            X509Certificate2Collection first = [], second = [];
            first.ImportFromPem(a);
            second.ImportFromPem(b);
            return first.Select(c => c.Thumbprint).SequenceEqual(second.Select(c => c.Thumbprint), StringComparer.Ordinal);
        }
        catch (CryptographicException)
        {
            return false; // what the node trusts is then shown as it said
        }
    }

    private static string Host(string address) => address.LastIndexOf(':') is var colon and > 0 ? address[..colon] : address;
}
