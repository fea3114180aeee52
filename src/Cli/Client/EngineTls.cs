using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Cli.Daemon;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Client;

/// <summary>Connects to a daemon over TCP: TLS 1.3, a certificate of one's own, and a daemon that is who the address says.</summary>
/// <param name="url">The daemon's, for sentences.</param>
internal sealed class EngineTls(EngineTcp to, string url, TimeProvider time)
{
    /// <summary>A host that says nothing at all is told from one that is slow.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly Lock _guard = new();
    private TlsParts? _own;

    /// <exception cref="EngineUnreachableException">The files are not what they have to be, or somebody else answers there; with a sentence.</exception>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    internal async Task<Dialled> DialAsync(CancellationToken stop)
    {
        var own = Own();
        using var patience = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? tls = null;
        try
        {
            await socket.ConnectAsync(to.Host, to.Port, both.Token);
            ApiTls.Silence.Limit(socket);
            tls = new SslStream(new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false);
            await tls.AuthenticateAsClientAsync(Options(own), both.Token);
            return new Dialled(socket, new HalfCloseTlsStream(tls));
        }
        catch (Exception failure)
        {
            if (tls is not null)
                await tls.DisposeAsync();
            socket.Dispose();
            if (failure is OperationCanceledException && !stop.IsCancellationRequested)
                throw new EngineUnreachableException($"the daemon at {url} does not answer within {Patience.TotalSeconds:0} seconds", failure);
            if (failure is AuthenticationException or IOException)
                throw new EngineUnreachableException($"whoever listens at {url} does not speak TLS 1.3 as a daemon does that was started with --tlsverify: {(failure.InnerException ?? failure).Message}", failure);
            throw;
        }
    }

    /// <summary>Why the daemon's certificate is not accepted; null: it is.</summary>
    internal static string? Judge(X509Certificate2 presented, X509Chain chain, string host, string authorityFile, DateTimeOffset now)
    {
        var faults = chain.ChainStatus.Select(s => s.Status).Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one);
        const X509ChainStatusFlags told = X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.NotValidForUsage;
        if ((faults & ~told) != X509ChainStatusFlags.NoError)
            return $"its certificate '{presented.Subject}' is not of the CA in {authorityFile} ({faults}): this is another daemon than you mean, or another CA ({TlsFiles.AuthorityFlag})";
        if (now >= new DateTimeOffset(presented.NotAfter))
            return $"its certificate '{presented.Subject}' expired at {presented.NotAfter.ToUniversalTime():u}: the daemon needs a new one";
        if (now < new DateTimeOffset(presented.NotBefore))
            return $"its certificate '{presented.Subject}' is valid from {presented.NotBefore.ToUniversalTime():u}, and here it is {now.UtcDateTime:u}: set the clocks of the two hosts";
        if ((faults & X509ChainStatusFlags.NotValidForUsage) != X509ChainStatusFlags.NoError)
            return $"its certificate '{presented.Subject}' is not made for servers: its extended key usage has to name serverAuth";
        if (faults != X509ChainStatusFlags.NoError)
            return $"a certificate of the CA that issued '{presented.Subject}' is out of its time";
        if (presented.MatchesHostname(host, allowWildcards: true, allowCommonName: false))
            return null;
        var names = Names(presented);
        return names.Count == 0
            ? $"its certificate '{presented.Subject}' names no host (subjectAltName), and so not {host}"
            : $"its certificate is for {string.Join(", ", names)} and not for {host}: connect by one of these names, or have it issued for this one";
    }

    private static List<string> Names(X509Certificate2 certificate) =>
        [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(a => a.ToString())))];

    private SslClientAuthenticationOptions Options(TlsParts own) => new()
    {
        EnabledSslProtocols = SslProtocols.Tls13,
        AllowTlsResume = false,
        AllowRenegotiation = false,
        TargetHost = to.Host,
        ApplicationProtocols = [MutualTls.Http11],
        ClientCertificateContext = own.Own,
        CertificateChainPolicy = CertificateTrust.Policy(own.Authorities, time.GetUtcNow()),
        RemoteCertificateValidationCallback = (_, certificate, chain, _) => Accept(certificate, chain),
    };

    private bool Accept(X509Certificate? certificate, X509Chain? chain)
    {
        if (certificate is not X509Certificate2 presented || chain is null)
            return false;
        return Judge(presented, chain, to.Host, to.Files.Authority, time.GetUtcNow()) is not { } refusal
            ? true
            : throw new EngineUnreachableException($"the daemon at {url} is not believed: {refusal}");
    }

    private TlsParts Own()
    {
        lock (_guard)
        {
            if (_own is not null)
                return _own;
            var problems = new List<Problem>();
            return _own = to.Files.Read(problems, time.GetUtcNow()) ?? throw new EngineUnreachableException(
                $"{url} needs a certificate of yours and the daemon's CA:\n{string.Join('\n', problems.Select(p => $"  {p}"))}\nName the files, or a folder with ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH.");
        }
    }
}
