using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Shared.Security;

/// <summary>A CA as its certificates name it: equal for a root and for its cross-signed twin.</summary>
/// <param name="Subject">The issuer's distinguished name, DER in base64, as Docker's TLSInfo has it.</param>
/// <param name="PublicKey">Its SubjectPublicKeyInfo, DER in base64.</param>
public sealed record CertificateIssuer(string Subject, string PublicKey)
{
    /// <summary>The CA that this certificate belongs to.</summary>
    public static CertificateIssuer Of(X509Certificate2 authority) => new(
        Convert.ToBase64String(authority.SubjectName.RawData),
        Convert.ToBase64String(authority.PublicKey.ExportSubjectPublicKeyInfo()));
}
