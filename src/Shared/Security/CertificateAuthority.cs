using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Security;

/// <summary>A cluster's own CA: a root certificate and its key. Issues, renews and cross-signs; knows no clock of its own.</summary>
public sealed class CertificateAuthority
{
    /// <summary>Certificates count from an hour before they were made, because hosts' clocks differ (swarmkit's CertBackdate).</summary>
    public static readonly TimeSpan Backdate = TimeSpan.FromHours(1);

    /// <summary>A node's certificate where the operator says nothing (swarmkit's DefaultNodeCertExpiration).</summary>
    public static readonly TimeSpan DefaultValidity = TimeSpan.FromDays(90);

    private static readonly TimeSpan RootValidity = TimeSpan.FromDays(365 * 20);
    private static readonly Oid[] BothSides = [new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")];

    private CertificateAuthority(X509Certificate2 root) => Root = root;

    /// <summary>With its key.</summary>
    public X509Certificate2 Root { get; }

    public string CertificatePem => Root.ExportCertificatePem();

    public string KeyPem
    {
        get
        {
            using var key = Root.GetECDsaPrivateKey()!;
            return key.ExportPkcs8PrivateKeyPem();
        }
    }

    public static CertificateAuthority Create(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName("CN=swarm-ca"), key, HashAlgorithmName.SHA256);
        AddAuthority(request, request.PublicKey);
        return new(request.CreateSelfSigned(now - Backdate, now + RootValidity));
    }

    /// <exception cref="CryptographicException">The text is no certificate with its key, or no CA's.</exception>
    public static CertificateAuthority FromPem(string certificatePem, string keyPem)
    {
        X509Certificate2 root;
        try
        {
            root = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        }
        catch (ArgumentException mismatch)
        {
            throw new CryptographicException("the key does not belong to the CA's certificate", mismatch);
        }

        using var key = root.GetECDsaPrivateKey() ?? throw new CryptographicException("the CA's key is not an ECDSA key");
        return root.Extensions.OfType<X509BasicConstraintsExtension>().Any(b => b.CertificateAuthority)
            ? new(root)
            : throw new CryptographicException("the certificate is not a CA's: its basic constraints do not say so");
    }

    /// <summary>A node's certificate: O is the cluster, OU the role, CN the node, as swarmkit's; the request's own subject counts for nothing.</summary>
    /// <param name="signingRequest">PKCS #10, DER, signed by its ECDSA P-256 key.</param>
    /// <exception cref="CryptographicException">The request is damaged, not signed by its own key, or of another kind of key.</exception>
    public X509Certificate2 Issue(byte[] signingRequest, NodeId node, NodeRole role, string clusterId, DateTimeOffset now, TimeSpan validity)
    {
        var asked = CertificateRequest.LoadSigningRequest(signingRequest, HashAlgorithmName.SHA256);
        using (var key = asked.PublicKey.GetECDsaPublicKey())
        {
            if (key is null || key.KeySize != 256)
                throw new CryptographicException("a node's key is an ECDSA key on P-256");
        }

        var request = new CertificateRequest(NodeSubject.Write(node, role, clusterId), asked.PublicKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(NodeSubject.Unit(role));
        names.AddDnsName(node.Value);
        AddLeaf(request, names);
        return Sign(request, now, validity);
    }

    /// <summary>A certificate for something that is no node: the Engine API's server or one of its clients.</summary>
    /// <param name="name">Its common name.</param>
    /// <param name="key">Its key; the certificate carries it.</param>
    /// <param name="hosts">Names and addresses that it may be reached by.</param>
    public X509Certificate2 IssueFor(string name, ECDsa key, IReadOnlyList<string> hosts, DateTimeOffset now, TimeSpan validity)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(host);
        }

        AddLeaf(request, hosts.Count > 0 ? names : null);
        using var bare = Sign(request, now, validity);
        return bare.CopyWithPrivateKey(key);
    }

    /// <summary>
    /// The next root's certificate signed by this one: the same name and key, another issuer. Who trusts this root alone accepts by it
    /// what the next one issues.
    /// </summary>
    public X509Certificate2 CrossSign(X509Certificate2 next, DateTimeOffset now)
    {
        var request = new CertificateRequest(next.SubjectName, next.PublicKey, HashAlgorithmName.SHA256);
        AddAuthority(request, next.PublicKey);
        return Sign(request, now, RootValidity);
    }

    private X509Certificate2 Sign(CertificateRequest request, DateTimeOffset now, TimeSpan validity)
    {
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(
            Root.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault() ?? new X509SubjectKeyIdentifierExtension(Root.PublicKey, critical: false)));
        var begins = Later(now - Backdate, new DateTimeOffset(Root.NotBefore));
        var ends = Earlier(now + validity, new DateTimeOffset(Root.NotAfter));
        if (ends <= begins)
            throw new CryptographicException($"the CA's own certificate is valid from {Root.NotBefore.ToUniversalTime():u} to {Root.NotAfter.ToUniversalTime():u}, and now it is {now.UtcDateTime:u}");
        using var key = Root.GetECDsaPrivateKey()!;
        return request.Create(Root.SubjectName, X509SignatureGenerator.CreateForECDsa(key), begins, ends, CertificateSerial.Draw(now));
    }

    private static void AddAuthority(CertificateRequest request, PublicKey key)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, critical: false));
    }

    private static void AddLeaf(CertificateRequest request, SubjectAlternativeNameBuilder? names)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. BothSides], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (names is not null)
            request.CertificateExtensions.Add(names.Build());
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;
}
