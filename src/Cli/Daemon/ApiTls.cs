using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon;

/// <summary>
/// The Engine API over TCP: TLS 1.3 alone, for clients with a certificate of the operator's CA. Whoever has none, or a wrong one, gets through
/// the handshake, because an alert can't carry a sentence, and every call is answered with one.
/// </summary>
internal sealed class ApiTls(TlsParts own, TimeProvider time, ILogger log)
{
    /// <summary>As Go's listeners have it, for both ends of such a connection: one that vanished is noticed within a minute, though nothing is said.</summary>
    internal static readonly PeerSilence Silence = new(Idle: 15, Between: 15, Unanswered: 3);

    private static readonly TimeSpan FirstByte = TimeSpan.FromSeconds(10);

    internal void Secure(ListenOptions endpoint)
    {
        endpoint.Use(next => async connection =>
        {
            if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
                Silence.Limit(socket);
            if (!await ToldOfPlainAsync(connection))
                await next(connection);
        });
        endpoint.UseTls(() => Handshake(endpoint.IPEndPoint?.ToString() ?? ""), time, log);
    }

    /// <summary>Answers who did not prove himself; calls over unix sockets have no such thing to prove.</summary>
    internal static RequestDelegate Guard(RequestDelegate next) => async http =>
    {
        if (http.Features.Get<IPeerFeature>()?.Refusal is not { } refusal)
        {
            await next(http);
            return;
        }

        var body = ModelJson.Write(new ErrorReply { Message = refusal });
        http.Response.StatusCode = 403;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body.Length;
        http.Response.Headers.Connection = "close";
        if (!HttpMethods.IsHead(http.Request.Method))
            await http.Response.Body.WriteAsync(body, CancellationToken.None);
    };

    /// <summary>A client that speaks HTTP without TLS would see no more than a connection that breaks: it is told what is missing.</summary>
    private async Task<bool> ToldOfPlainAsync(ConnectionContext connection)
    {
        using var patience = new CancellationTokenSource(FirstByte, time);
        var input = connection.Transport.Input;
        try
        {
            var read = await input.ReadAsync(patience.Token);
            var plain = !read.Buffer.IsEmpty && char.IsAsciiLetterUpper((char)read.Buffer.FirstSpan[0]); // a method; a handshake begins with 22
            input.AdvanceTo(plain ? read.Buffer.End : read.Buffer.Start);
            if (!plain)
                return false;
            var body = ModelJson.Write(new ErrorReply { Message = "this port speaks TLS alone, and the client spoke plain HTTP: give it --tlsverify (or DOCKER_TLS_VERIFY=1) and its certificate" });
            await connection.Transport.Output.WriteAsync((byte[])
            [
                .. Encoding.ASCII.GetBytes($"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"),
                .. body,
            ]);
            return true;
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            return true; // nobody to tell
        }
    }

    /// <summary>Why a client's certificate is not accepted; null: it is.</summary>
    internal static string? Judge(X509Certificate2 presented, X509Chain chain, DateTimeOffset now)
    {
        var name = $"the client's certificate '{presented.Subject}'";
        var faults = chain.ChainStatus.Select(s => s.Status).Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one);
        const X509ChainStatusFlags told = X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.NotValidForUsage;
        if ((faults & ~told) != X509ChainStatusFlags.NoError)
            return $"{name} is not of the CA that this daemon believes ({faults}): have it issued by the one of the daemon's {TlsFiles.AuthorityFlag}";
        if (now >= new DateTimeOffset(presented.NotAfter))
            return $"{name} expired at {presented.NotAfter.ToUniversalTime():u}: have a new one issued";
        if (now < new DateTimeOffset(presented.NotBefore))
            return $"{name} is valid from {presented.NotBefore.ToUniversalTime():u}, and here it is {now.UtcDateTime:u}: set the clocks of the two hosts";
        if (NodeSubject.Read(presented) is { } node)
            return $"{name} is that of node {node.NodeId}, which counts at the cluster port and not here: the Engine API is for operators";
        return (faults & X509ChainStatusFlags.NotValidForUsage) != X509ChainStatusFlags.NoError ? $"{name} is not made for clients: its extended key usage has to name clientAuth"
            : faults != X509ChainStatusFlags.NoError ? $"a certificate of the CA that issued {name} is out of its time"
            : null;
    }

    private TlsHandshake Handshake(string endpoint)
    {
        var client = new Client(log, endpoint);
        return new(
            new SslServerAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                AllowTlsResume = false,
                AllowRenegotiation = false,
                ApplicationProtocols = [MutualTls.Http11],
                ServerCertificateContext = own.Own,
                ClientCertificateRequired = true,
                CertificateChainPolicy = CertificateTrust.Policy(own.Authorities, time.GetUtcNow()),
                RemoteCertificateValidationCallback = (_, certificate, chain, _) => client.Judge(certificate, chain, time.GetUtcNow()),
            },
            () => client);
    }

    /// <summary>Refused until something is known that speaks for him.</summary>
    private sealed class Client(ILogger log, string endpoint) : IPeerFeature
    {
        public PeerIdentity? Identity => null; // an operator's certificate is no node's

        public string? Refusal { get; private set; } =
            "the Engine API over TCP is for clients with a certificate, and this one shows none: give it one of this daemon's CA, by --tlsverify --tlscacert --tlscert --tlskey or in DOCKER_CERT_PATH";

        /// <summary>Keeps the verdict; the handshake goes on.</summary>
        internal bool Judge(X509Certificate? certificate, X509Chain? chain, DateTimeOffset now)
        {
            if (certificate is X509Certificate2 presented && chain is not null)
                Refusal = ApiTls.Judge(presented, chain, now);
            if (Refusal is not null)
                log.ApiClientRefused(endpoint, Refusal);
            return true;
        }
    }
}
