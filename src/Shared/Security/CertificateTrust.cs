using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Shared.Security;

/// <summary>What became of a certificate's check: who it is, or a sentence.</summary>
public sealed record PeerVerdict(PeerIdentity? Identity, string? Refusal);

/// <summary>Judges a node's certificate against the roots that this node trusts. Asks nobody: no network, no revocation lists, no store of the system.</summary>
public static class CertificateTrust
{
    /// <summary>How chains are built, here and inside TLS.</summary>
    public static X509ChainPolicy Policy(X509Certificate2Collection roots, DateTimeOffset now)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTime = now.UtcDateTime,
            VerificationTimeIgnored = false,
        };
        policy.CustomTrustStore.AddRange(roots);
        return policy;
    }

    public static PeerVerdict Judge(
        X509Certificate2 certificate, X509Certificate2Collection between, X509Certificate2Collection roots, string clusterId, DateTimeOffset now)
    {
        using var chain = new X509Chain { ChainPolicy = Policy(roots, now) };
        chain.ChainPolicy.ExtraStore.AddRange(between);
        chain.Build(certificate);
        return Judge(certificate, chain, clusterId, now);
    }

    /// <param name="clusterId">The cluster it has to name; null: whichever it names, as for who is about to join.</param>
    internal static PeerVerdict Judge(X509Certificate2 certificate, X509Chain chain, string? clusterId, DateTimeOffset now)
    {
        if (NodeSubject.Read(certificate) is not { } named)
            return Refused($"the certificate of '{certificate.Subject}' is not a node's: it has to name a cluster (O), a role (OU) and a node (CN)");
        if (clusterId is not null && named.ClusterId != clusterId)
            return Refused($"the certificate of node {named.NodeId} belongs to cluster {named.ClusterId}, and this is cluster {clusterId}");

        var faults = chain.ChainStatus.Select(s => s.Status).Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one);
        if ((faults & ~X509ChainStatusFlags.NotTimeValid) != X509ChainStatusFlags.NoError)
        {
            return Refused(
                $"the certificate of node {named.NodeId} names this cluster, but no CA that it trusts has issued it ({faults}): it is forged, or older than the cluster's last CA rotation");
        }

        if (now >= new DateTimeOffset(certificate.NotAfter))
        {
            return Refused(
                $"the certificate of node {named.NodeId} expired at {Time(certificate.NotAfter)}: the node was away for longer than its certificate's life and has to join again");
        }

        if (now < new DateTimeOffset(certificate.NotBefore))
            return Refused($"the certificate of node {named.NodeId} is valid from {Time(certificate.NotBefore)}, and here it is {Time(now.UtcDateTime)}: set the clocks of the two hosts");
        if (faults != X509ChainStatusFlags.NoError || chain.ChainElements.Count < 2)
            return Refused($"a certificate of the CA that issued node {named.NodeId}'s is out of its time");
        var issuer = chain.ChainElements[1].Certificate;
        return new(named with { Issuer = CertificateIssuer.Of(issuer) }, null);
    }

    private static PeerVerdict Refused(string sentence) => new(null, sentence);

    private static string Time(DateTime time) => time.ToUniversalTime().ToString("u", CultureInfo.InvariantCulture);
}
