using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Streams;

namespace Orchestrator.Shared.Security;

/// <summary>What one handshake of a server needs.</summary>
/// <param name="Options">Made for this handshake, so that what was renewed meanwhile counts.</param>
/// <param name="Peer">What it told of the client; asked once it is done.</param>
internal sealed record TlsHandshake(SslServerAuthenticationOptions Options, Func<IPeerFeature?> Peer);

/// <summary>TLS under an endpoint's HTTP, by our own few lines: Kestrel's takes its parts from a container of services, which this host has not.</summary>
internal static class TlsEndpoint
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    internal static void UseTls(this ListenOptions endpoint, Func<TlsHandshake> begin, TimeProvider time, ILogger log) => endpoint.Use(next => async connection =>
    {
        var handshake = begin();
        var plain = connection.Transport;
        var tls = new SslStream(new DuplexStream(plain), leaveInnerStreamOpen: true);
        await using (tls)
        {
            if (!await ShakeAsync(tls, handshake, connection, time, log))
                return;
            connection.Features.Set<ITlsConnectionFeature>(new Tls(tls));
            connection.Features.Set<ITlsApplicationProtocolFeature>(new Alpn(tls.NegotiatedApplicationProtocol));
            if (handshake.Peer() is { } peer)
                connection.Features.Set(peer);
            var secured = new Pipes(tls);
            connection.Transport = secured;
            try
            {
                await next(connection);
            }
            finally
            {
                await secured.Output.CompleteAsync();
                await secured.Input.CompleteAsync();
                connection.Transport = plain;
            }

            if (await CloseAsync(tls) && connection.Features.Get<IHijackFeature>() is { IsTaken: true })
                await DrainAsync(plain.Input);
        }
    });

    private static async Task<bool> ShakeAsync(SslStream tls, TlsHandshake handshake, ConnectionContext connection, TimeProvider time, ILogger log)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, connection.ConnectionClosed);
        try
        {
            await tls.AuthenticateAsServerAsync(handshake.Options, both.Token);
            return true;
        }
        catch (Exception failure) when (failure is AuthenticationException or IOException or OperationCanceledException or InvalidOperationException)
        {
            log.HandshakeFailed(connection.RemoteEndPoint?.ToString() ?? "", patience.IsCancellationRequested ? "it took too long" : (failure.InnerException ?? failure).Message);
            return false;
        }
    }

    /// <summary>False: the client left without waiting for it.</summary>
    private static async Task<bool> CloseAsync(SslStream tls)
    {
        try
        {
            await tls.ShutdownAsync(); // close_notify: the other side knows that nothing was cut off
            return true;
        }
        catch (Exception gone) when (gone is IOException or InvalidOperationException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>
    /// Waits for the client to close, and drops what it still says. A TCP socket that is closed with unread bytes sends a reset, and with it goes
    /// what the client has not been sent yet: the end of a program's output, because the program did not want its input.
    /// </summary>
    private static async Task DrainAsync(PipeReader input)
    {
        try
        {
            while (true)
            {
                var read = await input.ReadAsync();
                input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted || read.IsCanceled)
                    return;
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The connection is reset, or the daemon stops.
        }
    }

    private sealed class Pipes(SslStream tls) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(tls, new StreamPipeReaderOptions(bufferSize: 16 << 10, minimumReadSize: 4 << 10, leaveOpen: true));

        public PipeWriter Output { get; } = PipeWriter.Create(tls, new StreamPipeWriterOptions(minimumBufferSize: 16 << 10, leaveOpen: true));
    }

    private sealed class Alpn(SslApplicationProtocol protocol) : ITlsApplicationProtocolFeature
    {
        public ReadOnlyMemory<byte> ApplicationProtocol { get; } = protocol.Protocol;
    }

    private sealed class Tls(SslStream tls) : ITlsConnectionFeature
    {
        public X509Certificate2? ClientCertificate { get; set; } = tls.RemoteCertificate as X509Certificate2;

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
    }
}
