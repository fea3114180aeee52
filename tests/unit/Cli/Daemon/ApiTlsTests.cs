using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Daemon;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Tests.Unit.Cli.Daemon;

public sealed class ApiTlsTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly CertificateAuthority _authority = CertificateAuthority.Create(Now.AddYears(-1));
    private readonly string _folder = Directory.CreateTempSubdirectory("orch-tls").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void TCP_is_refused_without_certificates_and_certificates_without_TCP()
    {
        Assert.Equal(["--host"], Where(new() { Hosts = ["tcp://0.0.0.0:2376"] }));
        Assert.Equal(["--host"], Where(new() { Hosts = ["tcp://0.0.0.0:2376"], TlsAuthority = "a", TlsCertificate = "b", TlsKey = "c" }));
        Assert.Equal(["--tlscacert", "--tlscert", "--tlskey"], Where(new() { Hosts = ["tcp://0.0.0.0:2376"], TlsVerify = true }));
        Assert.Equal(["--tlskey", "--tlsverify"], Where(new() { Hosts = ["unix:///a.sock"], TlsVerify = true, TlsKey = "c" }));
        Assert.Equal(["--host", "--host", "--tlskey"], Where(new() { Hosts = ["tcp://:2376", "tcp://host.example:1"], TlsVerify = true, TlsAuthority = "a", TlsCertificate = "b" }));
        var both = new DaemonOptions { Hosts = ["tcp://localhost", "unix:///a.sock", "tcp://[::1]:7"], TlsVerify = true, TlsAuthority = "a", TlsCertificate = "b", TlsKey = "c" };
        Assert.Empty(both.Check());
        Assert.Equal(["/a.sock"], both.SocketPaths);
        Assert.Equal([new IPEndPoint(IPAddress.Loopback, 2376), new IPEndPoint(IPAddress.IPv6Loopback, 7)], both.TcpEndpoints);
        Assert.Equal(new TlsFiles("a", "b", "c"), both.Tls);
        Assert.Null(new DaemonOptions().Tls);
    }

    [Fact]
    public void Every_problem_of_the_files_is_told_at_once()
    {
        var (certificate, key) = Files("good", Now);
        var (expired, otherKey) = Files("late", Now.AddDays(-60));
        var sealedKey = Write("sealed.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");

        Told(new(Path.Combine(_folder, "gone"), expired, key), "--tlscacert: * is not there", "--tlscert: *: the certificate 'CN=late' expired at 2029-12-03*", "--tlskey: * does not hold the key of the certificate in *");
        Told(new(key, key, certificate), "--tlscacert: * holds no certificate*", "--tlscert: * holds no certificate*", "--tlskey: * holds no private key*");
        Told(new(_folder, certificate, sealedKey), "--tlscacert: * is a folder and has to be a PEM file", "--tlskey: * is encrypted by a passphrase*");
        Told(new(Root(), certificate, otherKey), "--tlskey: * does not hold the key of the certificate in *");
        Told(new(Write("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), certificate, key), "--tlscacert: * holds a damaged certificate*");

        var problems = new List<Problem>();
        var parts = new TlsFiles(Root(), certificate, key).Read(problems, Now);
        Assert.Empty(problems);
        Assert.Equal("CN=good", parts!.Own.TargetCertificate.Subject);
    }

    [Theory]
    [InlineData("good", null)]
    [InlineData("late", "the client's certificate 'CN=client' expired at 2029-12-03")]
    [InlineData("early", "the client's certificate 'CN=client' is valid from 2030-02-28")]
    [InlineData("forged", "the client's certificate 'CN=client' is not of the CA that this daemon believes")]
    [InlineData("node", "is that of node node1, which counts at the cluster port and not here: the Engine API is for operators")]
    public void A_client_is_judged_by_its_certificate(string kind, string? sentence)
    {
        var issuer = kind == "forged" ? CertificateAuthority.Create(Now.AddYears(-1)) : _authority;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var presented = kind == "node" ? Node() : issuer.IssueFor("client", key, [], Now.AddDays(kind == "late" ? -60 : kind == "early" ? 58.1 : 0), TimeSpan.FromDays(31));
        using var chain = new X509Chain { ChainPolicy = CertificateTrust.Policy([_authority.Root], Now) };
        chain.Build(presented);

        var refusal = ApiTls.Judge(presented, chain, Now);

        if (sentence is null)
            Assert.Null(refusal);
        else
            Assert.Contains(sentence, refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("engine.example", "engine.example", null)]
    [InlineData("192.0.2.7", "192.0.2.7", null)]
    [InlineData("192.0.2.7", "192.0.2.8", "its certificate is for 192.0.2.7 and not for 192.0.2.8")]
    [InlineData("", "daemon", "its certificate 'CN=daemon' names no host (subjectAltName), and so not daemon")]
    public void A_daemon_is_who_the_address_says(string named, string host, string? sentence)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var presented = _authority.IssueFor("daemon", key, named.Length == 0 ? [] : [named], Now, TimeSpan.FromDays(31));
        using var chain = new X509Chain { ChainPolicy = CertificateTrust.Policy([_authority.Root], Now) };
        chain.Build(presented);

        var refusal = EngineTls.Judge(presented, chain, host, "ca.pem", Now);

        if (sentence is null)
            Assert.Null(refusal);
        else
            Assert.StartsWith(sentence, refusal, StringComparison.Ordinal);
    }

    private X509Certificate2 Node()
    {
        using var request = SigningRequest.Create();
        return _authority.Issue(request.Der, new("node1"), NodeRole.Manager, "cluster", Now, TimeSpan.FromDays(31));
    }

    private (string Certificate, string Key) Files(string name, DateTimeOffset issued)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = _authority.IssueFor(name, key, [], issued, TimeSpan.FromDays(31));
        return (Write($"{name}.pem", certificate.ExportCertificatePem()), Write($"{name}-key.pem", key.ExportPkcs8PrivateKeyPem()));
    }

    private string Root() => Write("ca.pem", _authority.CertificatePem);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static IEnumerable<string> Where(DaemonOptions options) => options.Check().Select(p => p.Where).Order(StringComparer.Ordinal);

    private static void Told(TlsFiles files, params string[] patterns)
    {
        var problems = new List<Problem>();
        Assert.Null(files.Read(problems, Now));
        Assert.Equal(patterns.Length, problems.Count);
        foreach (var (pattern, problem) in patterns.Zip(problems))
            Assert.Matches("^" + System.Text.RegularExpressions.Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal), problem.ToString());
    }
}
