using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Tests.Unit.Shared.Security;

/// <summary>A CA and the nodes it certifies, at a time of the test's choosing.</summary>
internal sealed class TestCluster(string id = "cluster")
{
    internal static readonly DateTimeOffset Start = new(2031, 3, 1, 12, 0, 0, TimeSpan.Zero);

    internal string Id { get; } = id;

    internal CertificateAuthority Authority { get; init; } = CertificateAuthority.Create(Start);

    internal NodeCredentials Node(string name, NodeRole role, DateTimeOffset? at = null, TimeSpan? life = null, string roots = "", string between = "")
    {
        using var request = SigningRequest.Create();
        using var certificate = Authority.Issue(request.Der, new(name), role, Id, at ?? Start, life ?? TimeSpan.FromDays(90));
        return NodeCredentials.Take(
            certificate.ExportCertificatePem() + "\n" + between, roots.Length > 0 ? roots : Authority.CertificatePem, request.Key, at ?? Start);
    }

    internal PeerVerdict Judge(NodeCredentials node, DateTimeOffset? at = null) =>
        CertificateTrust.Judge(node.Certificate, node.Intermediates, [Authority.Root], Id, at ?? Start);
}
