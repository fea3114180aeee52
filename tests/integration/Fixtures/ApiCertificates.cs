using System.Security.Cryptography;
using Orchestrator.Shared.Security;

namespace Orchestrator.Tests.Integration.Fixtures;

/// <summary>An operator's CA, and the files that it gave a daemon and its clients: ca.pem, cert.pem, key.pem as docker names them.</summary>
internal sealed class ApiCertificates
{
    private readonly CertificateAuthority _authority = CertificateAuthority.Create(Now.AddYears(-1));

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>A folder with the CA and a certificate with its key.</summary>
    /// <param name="folder">Made when it is not there.</param>
    /// <param name="name">The certificate's common name.</param>
    /// <param name="hosts">What it may be reached by; a client needs none.</param>
    /// <param name="age">When it was issued; valid for 30 days from then.</param>
    internal string Give(string folder, string name, string[]? hosts = null, TimeSpan age = default)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = _authority.IssueFor(name, key, hosts ?? [], Now - age, TimeSpan.FromDays(30));
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "ca.pem"), _authority.CertificatePem + "\n");
        File.WriteAllText(Path.Combine(folder, "cert.pem"), certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(Path.Combine(folder, "key.pem"), key.ExportPkcs8PrivateKeyPem() + "\n");
        return folder;
    }

    /// <summary>The daemon's words for a folder of its own.</summary>
    internal static string Flags(string folder) => $"--tlsverify --tlscacert {folder}/ca.pem --tlscert {folder}/cert.pem --tlskey {folder}/key.pem";
}
