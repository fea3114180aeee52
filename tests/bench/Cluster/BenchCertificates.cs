using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>A throw-away authority for loopback: what it issues serves both sides of a connection.</summary>
internal sealed class BenchCertificates : IDisposable
{
    private readonly X509Certificate2 _root;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly DateTimeOffset _from = TimeProvider.System.GetUtcNow().AddMinutes(-5);

    internal BenchCertificates(string folder)
    {
        Folder = folder;
        var request = new CertificateRequest("CN=bench", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _root = request.CreateSelfSigned(_from, _from.AddDays(1));
        File.WriteAllText(Path.Combine(folder, "ca.pem"), _root.ExportCertificatePem());
        Issue("member");
        Client = Issue("client");
    }

    internal string Folder { get; }

    internal X509Certificate2 Client { get; }

    internal string Ca => Path.Combine(Folder, "ca.pem");

    /// <summary>Accepts whom this authority issued.</summary>
    internal bool Trusts(X509Certificate2? certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return certificate is not null && chain.Build(certificate);
    }

    public void Dispose()
    {
        Client.Dispose();
        _root.Dispose();
        _key.Dispose();
    }

    private X509Certificate2 Issue(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")], false));
        using var issued = request.Create(_root, _from, _from.AddDays(1), RandomNumberGenerator.GetBytes(16));
        using var whole = issued.CopyWithPrivateKey(key);
        File.WriteAllText(Path.Combine(Folder, $"{name}.pem"), whole.ExportCertificatePem());
        File.WriteAllText(Path.Combine(Folder, $"{name}-key.pem"), key.ExportPkcs8PrivateKeyPem());
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }
}
