using System.Net;
using System.Net.Security;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Tests.Integration.Rpc;

/// <summary>A node's cluster port on loopback: mutual TLS and whatever is mapped.</summary>
internal sealed class SecureHost : IAsyncDisposable
{
    private readonly HttpHost host;

    private SecureHost(HttpHost host, IPEndPoint address) => (this.host, Address) = (host, address);

    internal IPEndPoint Address { get; }

    internal static async Task<SecureHost> StartAsync(CredentialBox box, RpcServer server, TimeProvider? time = null)
    {
        var port = FreePort();
        var listening = await HttpHost.StartAsync(
            options =>
            {
                RpcKestrel.Configure(options);
                options.Listen(IPAddress.Loopback, port, endpoint =>
                {
                    RpcKestrel.Endpoint(endpoint);
                    MutualTls.Server(endpoint, box, time ?? TimeProvider.System, NullLogger.Instance);
                });
            },
            async http =>
            {
                if (!await server.TryHandleAsync(http))
                    http.Response.StatusCode = 404;
            },
            NullLoggerFactory.Instance,
            TestContext.Current.CancellationToken);
        return new(listening, new(IPAddress.Loopback, port));
    }

    internal RpcConnect Transport => RpcConnects.Tcp(Address);

    /// <summary>A channel of a node with these credentials.</summary>
    internal RpcChannel Channel(NodeCredentials own, PeerExpectation? expected = null) => Channel(new CredentialBox(own), expected);

    internal RpcChannel Channel(CredentialBox box, PeerExpectation? expected = null, TimeProvider? time = null) =>
        new(new() { Connect = MutualTls.Client(Transport, box, time ?? TimeProvider.System, expected ?? PeerExpectation.AnyManager) });

    /// <summary>Of somebody who presents this certificate and does not care who answers.</summary>
    internal RpcChannel Careless(NodeCredentials own) => new(new()
    {
        Connect = async stop =>
        {
            var options = MutualTls.Client(own, TimeProvider.System, PeerExpectation.AnyNode, MutualTls.Http2);
            options.RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null;
            var tls = new SslStream(await Transport(stop));
            await tls.AuthenticateAsClientAsync(options, stop);
            return tls;
        },
    });

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await host.StopAsync(now.Token);
        await host.DisposeAsync();
    }

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
