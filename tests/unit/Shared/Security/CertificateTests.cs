using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Tests.Unit.Shared.Security;

public sealed class CertificateTests
{
    private static readonly DateTimeOffset Start = TestCluster.Start;
    private readonly TestCluster cluster = new();

    [Theory]
    [InlineData(NodeRole.Worker, "swarm-worker")]
    [InlineData(NodeRole.Manager, "swarm-manager")]
    public void A_certificate_names_cluster_role_and_node(NodeRole role, string unit)
    {
        var node = cluster.Node("node1", role);

        Assert.Equal($"O=cluster, OU={unit}, CN=node1", node.Certificate.Subject);
        var identity = cluster.Judge(node).Identity!;
        Assert.Equal((new NodeId("node1"), role, "cluster"), (identity.NodeId, identity.Role, identity.ClusterId));
        Assert.Equal(CertificateIssuer.Of(cluster.Authority.Root), identity.Issuer);
        Assert.Equal(Start.AddDays(90), identity.Expires);
    }

    [Fact]
    public void What_a_request_says_of_itself_counts_for_nothing()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("O=cluster, OU=swarm-manager, CN=somebody", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));

        using var certificate = cluster.Authority.Issue(request.CreateSigningRequest(), new("node1"), NodeRole.Worker, "cluster", Start, TimeSpan.FromDays(1));

        Assert.Equal("O=cluster, OU=swarm-worker, CN=node1", certificate.Subject);
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
    }

    [Fact]
    public void A_request_with_another_kind_of_key_or_a_broken_signature_is_refused()
    {
        using var rsa = RSA.Create(2048);
        var weak = new CertificateRequest("CN=node", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequest();
        Assert.Throws<CryptographicException>(() => cluster.Authority.Issue(weak, new("n"), NodeRole.Worker, "cluster", Start, TimeSpan.FromDays(1)));

        using var request = SigningRequest.Create();
        var broken = request.Der.ToArray();
        broken[^1] ^= 1;
        Assert.Throws<CryptographicException>(() => cluster.Authority.Issue(broken, new("n"), NodeRole.Worker, "cluster", Start, TimeSpan.FromDays(1)));
    }

    [Fact]
    public void A_node_can_not_issue_certificates()
    {
        var node = cluster.Node("node1", NodeRole.Manager);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(NodeSubject.Write(new("node2"), NodeRole.Manager, "cluster"), key, HashAlgorithmName.SHA256);
        using var own = node.Certificate.GetECDsaPrivateKey()!;
        using var forged = request.Create(
            node.Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(own), Start.AddHours(-1), Start.AddDays(1), new byte[] { 0x41, 2, 3, 4, 5, 6, 7, 8 });

        var verdict = CertificateTrust.Judge(forged, [node.Certificate], [cluster.Authority.Root], "cluster", Start);

        Assert.Null(verdict.Identity);
        Assert.Contains("forged", verdict.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_forged_CA_of_the_same_name_is_told_apart_by_its_key()
    {
        var forger = new TestCluster();

        var verdict = cluster.Judge(forger.Node("node1", NodeRole.Manager));

        Assert.Equal(cluster.Authority.Root.Subject, forger.Authority.Root.Subject);
        Assert.Null(verdict.Identity);
        Assert.StartsWith("the certificate of node node1 names this cluster, but no CA that it trusts has issued it", verdict.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_clusters_certificate_is_refused_by_its_name_also_under_the_same_CA()
    {
        var other = new TestCluster("elsewhere") { Authority = cluster.Authority };

        Assert.Equal(
            "the certificate of node node1 belongs to cluster elsewhere, and this is cluster cluster", cluster.Judge(other.Node("node1", NodeRole.Worker)).Refusal);
    }

    [Fact]
    public void An_expired_certificate_and_one_from_the_future_are_refused_with_the_time()
    {
        var node = cluster.Node("node1", NodeRole.Worker, life: TimeSpan.FromHours(2));

        Assert.NotNull(cluster.Judge(node, Start.AddMinutes(119)).Identity);
        Assert.StartsWith("the certificate of node node1 expired at 2031-03-01 14:00:00Z", cluster.Judge(node, Start.AddMinutes(121)).Refusal, StringComparison.Ordinal);
        var later = cluster.Node("node2", NodeRole.Worker, Start.AddHours(5));
        Assert.Contains("set the clocks", cluster.Judge(later, Start).Refusal, StringComparison.Ordinal);
        Assert.NotNull(cluster.Judge(later, Start.AddHours(4.5)).Identity); // clocks may differ by an hour
    }

    [Fact]
    public void A_certificate_that_names_no_node_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = cluster.Authority.IssueFor("operator", key, [], Start, TimeSpan.FromDays(1));

        Assert.Contains("is not a node's", CertificateTrust.Judge(certificate, [], [cluster.Authority.Root], "cluster", Start).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void During_a_rotation_old_and_new_certificates_are_accepted_by_who_trusts_either_root()
    {
        var next = CertificateAuthority.Create(Start);
        var cross = cluster.Authority.CrossSign(next.Root, Start).ExportCertificatePem() + "\n";
        var both = next.CertificatePem + "\n" + cluster.Authority.CertificatePem + "\n";
        var old = cluster.Node("old", NodeRole.Worker);
        var renewed = new TestCluster { Authority = next }.Node("renewed", NodeRole.Worker, roots: both, between: cross);

        Assert.NotNull(cluster.Judge(renewed).Identity); // by the cross-signed twin, under the old root alone
        Assert.NotNull(CertificateTrust.Judge(old.Certificate, old.Intermediates, renewed.Roots, "cluster", Start).Identity);
        Assert.NotNull(CertificateTrust.Judge(renewed.Certificate, renewed.Intermediates, [next.Root], "cluster", Start).Identity);
        Assert.Equal(CertificateIssuer.Of(next.Root), cluster.Judge(renewed).Identity!.Issuer);
        Assert.Contains("older than the cluster's last CA rotation", CertificateTrust.Judge(old.Certificate, old.Intermediates, [next.Root], "cluster", Start).Refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(300)]
    [InlineData(7_200_000)]
    public void A_certificate_tells_when_it_was_made_however_young_its_CA_is(int milliseconds)
    {
        var at = Start.AddMilliseconds(milliseconds);
        Assert.Equal(at, cluster.Judge(cluster.Node("node1", NodeRole.Manager, at), at).Identity!.Issued);
    }

    [Fact]
    public void A_CA_survives_its_PEM_and_only_with_its_own_key()
    {
        var again = CertificateAuthority.FromPem(cluster.Authority.CertificatePem, cluster.Authority.KeyPem);
        Assert.NotNull(cluster.Judge(new TestCluster { Authority = again }.Node("node1", NodeRole.Worker)).Identity);

        Assert.Throws<CryptographicException>(() => CertificateAuthority.FromPem(cluster.Authority.CertificatePem, CertificateAuthority.Create(Start).KeyPem));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = cluster.Authority.IssueFor("leaf", key, [], Start, TimeSpan.FromDays(1));
        Assert.Throws<CryptographicException>(() => CertificateAuthority.FromPem(leaf.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem()));
    }
}
