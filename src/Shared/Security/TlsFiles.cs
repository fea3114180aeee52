using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Security;

/// <summary>What one end of the Engine API over TCP proves itself by, and whose certificates it believes.</summary>
public sealed record TlsParts(X509Certificate2Collection Authorities, SslStreamCertificateContext Own);

/// <summary>The three PEM files that either end of the Engine API over TCP is given, under the names of docker's flags.</summary>
/// <param name="Authority">The CA whose certificates are believed; there may be several in the file.</param>
/// <param name="Certificate">One's own, and after it what lies between it and the CA.</param>
/// <param name="Key">Its private key, not encrypted.</param>
public sealed record TlsFiles(string Authority, string Certificate, string Key)
{
    public const string AuthorityFlag = "--tlscacert";
    public const string CertificateFlag = "--tlscert";
    public const string KeyFlag = "--tlskey";

    /// <summary>Reads all three; null, and every problem, when they are not what they have to be.</summary>
    /// <param name="problems">Receives them, each with the flag that names the file.</param>
    /// <param name="now">Certificates have to be valid then.</param>
    public TlsParts? Read(List<Problem> problems, DateTimeOffset now)
    {
        var before = problems.Count;
        var authorities = Certificates(AuthorityFlag, Authority, problems);
        if (authorities is { Count: > 0 } && authorities.All(a => OutOfTime(a, now) is not null))
            problems.Add(new(AuthorityFlag, $"{Authority}: {OutOfTime(authorities[0], now)}"));
        var chain = Certificates(CertificateFlag, Certificate, problems);
        if (chain is not null && OutOfTime(chain[0], now) is { } late)
            problems.Add(new(CertificateFlag, $"{Certificate}: {late}"));
        var own = WithKey(chain?[0], Text(KeyFlag, Key, problems), problems);
        return problems.Count > before || authorities is null || chain is null || own is null
            ? null
            : new(authorities, SslStreamCertificateContext.Create(own, [.. chain.Skip(1)], offline: true));
    }

    /// <summary>A sentence when the certificate is not valid then.</summary>
    internal static string? OutOfTime(X509Certificate2 certificate, DateTimeOffset now) =>
        now >= new DateTimeOffset(certificate.NotAfter) ? $"the certificate '{certificate.Subject}' expired at {certificate.NotAfter.ToUniversalTime():u}"
        : now < new DateTimeOffset(certificate.NotBefore) ? $"the certificate '{certificate.Subject}' is valid from {certificate.NotBefore.ToUniversalTime():u}, and here it is {now.UtcDateTime:u}"
        : null;

    private static X509Certificate2Collection? Certificates(string flag, string path, List<Problem> problems)
    {
        if (Text(flag, path, problems) is not { } text)
            return null;
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(text);
        }
        catch (CryptographicException damaged)
        {
            problems.Add(new(flag, $"{path} holds a damaged certificate: {damaged.Message}"));
            return null;
        }

        if (found.Count > 0)
            return found;
        problems.Add(new(flag, $"{path} holds no certificate: it has to be PEM, with '-----BEGIN CERTIFICATE-----'"));
        return null;
    }

    private X509Certificate2? WithKey(X509Certificate2? certificate, string? key, List<Problem> problems)
    {
        if (key is null)
            return null;
        if (key.Contains("ENCRYPTED", StringComparison.Ordinal))
        {
            problems.Add(new(KeyFlag, $"{Key} is encrypted by a passphrase, and there is nobody to ask for it: write the key without one (openssl pkey), readable for its owner alone"));
            return null;
        }

        if (!key.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            problems.Add(new(KeyFlag, $"{Key} holds no private key: it has to be PEM, with '-----BEGIN PRIVATE KEY-----'"));
            return null;
        }

        if (certificate is null)
            return null; // said already
        try
        {
            return X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), key);
        }
        catch (Exception other) when (other is CryptographicException or ArgumentException)
        {
            problems.Add(new(KeyFlag, $"{Key} does not hold the key of the certificate in {Certificate}"));
            return null;
        }
    }

    private static string? Text(string flag, string path, List<Problem> problems)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            problems.Add(new(flag, $"{path} is not there"));
        }
        catch (Exception closed) when (closed is IOException or UnauthorizedAccessException)
        {
            problems.Add(new(flag, Directory.Exists(path) ? $"{path} is a folder and has to be a PEM file" : $"{path} can't be read: {closed.Message}"));
        }

        return null;
    }
}
