using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>The driver's end of a connection, the same to whomever.</summary>
internal static class BenchTls
{
    /// <summary>Speaks HTTP/2 over TLS; the options say with which certificate, and whom to believe.</summary>
    internal static async Task<Stream> ConnectAsync(IPEndPoint to, SslClientAuthenticationOptions options)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? tls = null;
        try
        {
            await socket.ConnectAsync(to);
            tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            options.TargetHost = "localhost";
            options.ApplicationProtocols = [SslApplicationProtocol.Http2];
            await tls.AuthenticateAsClientAsync(options);
            return tls;
        }
        catch
        {
            tls?.Dispose();
            socket.Dispose();
            throw;
        }
    }
}
