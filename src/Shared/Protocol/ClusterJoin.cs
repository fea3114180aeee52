using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Shared.Protocol;

/// <summary>What a host is once a manager has let it in.</summary>
public sealed record JoinedNode(NodeCredentials Credentials, IReadOnlyList<ManagerPeer> Managers);

/// <summary>How a host becomes a member: fetch the roots, hold them against the token's digest, and only then show the token.</summary>
public static class ClusterJoin
{
    /// <param name="transport">To one manager's cluster port.</param>
    /// <param name="token">As given.</param>
    /// <param name="key">This join's key and request: the same on a second try, so that it makes no second node.</param>
    /// <param name="address">Where others reach this node's cluster port, <c>host:port</c>.</param>
    /// <exception cref="RpcException">The manager can't be reached, is not the token's, or refuses; the detail is a sentence.</exception>
    public static async Task<JoinedNode> RunAsync(
        RpcConnect transport,
        JoinToken token,
        SigningRequest key,
        string address,
        NodeAvailability availability,
        NodeDescription? description,
        TimeProvider time,
        CancellationToken stop)
    {
        var root = await PinAsync(transport, token, time, stop);
        using var channel = new RpcChannel(new() { Connect = MutualTls.Joining(transport, root, time), Time = time });
        var reply = await CertificatesRpc.Client(channel).IssueAsync(
            new() { Csr = key.Der, Token = token.Reveal(), Address = address, Availability = availability, Description = description }, stop);
        return new(Take(reply, key, time.GetUtcNow()), reply.Managers);
    }

    /// <summary>The root certificate with the token's digest, from whoever answers.</summary>
    public static async Task<X509Certificate2> PinAsync(RpcConnect transport, JoinToken token, TimeProvider time, CancellationToken stop)
    {
        using var channel = new RpcChannel(new() { Connect = MutualTls.Unverified(transport), Time = time });
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPem((await CertificatesRpc.Client(channel).RootAsync(stop)).RootsPem);
        }
        catch (CryptographicException damaged)
        {
            throw new RpcException(RpcStatus.Unauthenticated, $"the root certificate that the manager sent can't be read: {damaged.Message}", damaged);
        }

        return roots.FirstOrDefault(r => JoinToken.Digest(r) == token.RootDigest) ?? throw new RpcException(
            RpcStatus.Unauthenticated,
            "the manager's root certificate is not the one that the token names: the address leads to another cluster, or its CA was rotated since the token was printed; print a new one there with \"orch swarm join-token\"");
    }

    /// <summary>The credentials in a manager's answer.</summary>
    /// <exception cref="RpcException">The answer does not hold together.</exception>
    public static NodeCredentials Take(IssueReply reply, SigningRequest key, DateTimeOffset now)
    {
        try
        {
            return NodeCredentials.Take(reply.CertificatePem, reply.RootsPem, key.Key, now);
        }
        catch (CryptographicException unusable)
        {
            throw new RpcException(RpcStatus.Internal, $"the certificate that the manager sent can't be used: {unusable.Message}", unusable);
        }
    }
}
