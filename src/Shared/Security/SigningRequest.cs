using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Shared.Security;

/// <summary>A node's new key and the request to certify it; the key never leaves the node.</summary>
public sealed class SigningRequest : IDisposable
{
    private SigningRequest(ECDsa key, byte[] der) => (Key, Der) = (key, der);

    public ECDsa Key { get; }

    /// <summary>PKCS #10.</summary>
    public byte[] Der { get; }

    public static SigningRequest Create()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new(key, new CertificateRequest(new X500DistinguishedName("CN=node"), key, HashAlgorithmName.SHA256).CreateSigningRequest());
    }

    public void Dispose() => Key.Dispose();
}
