using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Security;

/// <summary>What this node proves itself by and whom it trusts. Immutable; a renewal makes another.</summary>
public sealed class NodeCredentials
{
    private NodeCredentials(PeerIdentity self, X509Certificate2 certificate, X509Certificate2Collection intermediates, X509Certificate2Collection roots)
    {
        Self = self;
        Certificate = certificate;
        Intermediates = intermediates;
        Roots = roots;
        Tls = SslStreamCertificateContext.Create(certificate, intermediates, offline: true);
    }

    /// <summary>This node as others see it.</summary>
    public PeerIdentity Self { get; }

    public NodeId NodeId => Self.NodeId;

    public string ClusterId => Self.ClusterId;

    public NodeRole Role => Self.Role;

    /// <summary>With its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>During a rotation the next root, cross-signed by the one before; else empty.</summary>
    public X509Certificate2Collection Intermediates { get; }

    /// <summary>Trusted; the one that issues now comes first, and during a rotation there are two.</summary>
    public X509Certificate2Collection Roots { get; }

    /// <summary>When the certificate was made and when it ends.</summary>
    public (DateTimeOffset Begins, DateTimeOffset Ends) Life =>
        (Self.Issued ?? new DateTimeOffset(Certificate.NotBefore), new DateTimeOffset(Certificate.NotAfter));

    public string RootsPem => Pem(Roots);

    /// <summary>The certificate and what lies between it and a root.</summary>
    public string ChainPem => Pem([Certificate, .. Intermediates]);

    internal SslStreamCertificateContext Tls { get; }

    /// <summary>From what a manager answered and the key that the request was made with.</summary>
    /// <exception cref="CryptographicException">The certificate is not one that this node could use; the message says why.</exception>
    public static NodeCredentials Take(string chainPem, string rootsPem, ECDsa key, DateTimeOffset now)
    {
        var chain = Read(chainPem);
        try
        {
            using var bare = chain[0];
            return Make(bare.CopyWithPrivateKey(key), chain, Read(rootsPem), now);
        }
        catch (ArgumentException other)
        {
            throw new CryptographicException("the certificate was issued for another key", other);
        }
    }

    /// <summary>The same certificate, trusting these roots.</summary>
    /// <exception cref="CryptographicException">They do not lead to the certificate.</exception>
    public NodeCredentials Trusting(string rootsPem, DateTimeOffset now) => Make(Certificate, [Certificate, .. Intermediates], Read(rootsPem), now);

    /// <summary>Reads what a file holds: the certificate, what lies between, the key.</summary>
    /// <exception cref="CryptographicException">The files are damaged or do not belong together.</exception>
    internal static NodeCredentials Parse(string chainAndKeyPem, string rootsPem)
    {
        var chain = Read(chainAndKeyPem);
        using var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(chainAndKeyPem);
            using var bare = chain[0];
            return Make(bare.CopyWithPrivateKey(key), chain, Read(rootsPem), now: null);
        }
        catch (ArgumentException damaged)
        {
            throw new CryptographicException($"no private key that fits the certificate: {damaged.Message}", damaged);
        }
    }

    /// <summary>The chain with the key, for the node's own file.</summary>
    internal string SecretPem()
    {
        using var key = Certificate.GetECDsaPrivateKey()!;
        return ChainPem + key.ExportPkcs8PrivateKeyPem() + "\n";
    }

    /// <summary>Without its key.</summary>
    public override string ToString() => $"{Role} {NodeId} of {ClusterId}, until {Life.Ends:u}";

    private static NodeCredentials Make(X509Certificate2 certificate, X509Certificate2Collection chain, X509Certificate2Collection roots, DateTimeOffset? now)
    {
        var between = new X509Certificate2Collection(chain.Skip(1).ToArray());
        var named = NodeSubject.Read(certificate) ?? throw new CryptographicException($"the certificate of {certificate.Subject} is not a node's");

        // From a file it may have expired: the node then says so to whoever asks, and its certificate is refused as expired.
        var verdict = CertificateTrust.Judge(certificate, between, roots, named.ClusterId, now ?? new DateTimeOffset(certificate.NotAfter).AddSeconds(-1));
        return new(verdict.Identity ?? throw new CryptographicException(verdict.Refusal), certificate, between, roots);
    }

    private static X509Certificate2Collection Read(string pem)
    {
        var found = new X509Certificate2Collection();
        found.ImportFromPem(pem);
        return found.Count > 0 ? found : throw new CryptographicException("there is no certificate in what was read");
    }

    private static string Pem(IEnumerable<X509Certificate2> certificates) => string.Concat(certificates.Select(c => c.ExportCertificatePem() + "\n"));
}
