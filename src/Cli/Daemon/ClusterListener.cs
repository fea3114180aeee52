using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.Cli.Daemon.Reach;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon;

/// <summary>The cluster port: open to other hosts for as long as this node is a member, by mutual TLS alone.</summary>
internal sealed class ClusterListener : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly HttpHost _host;
    private readonly TimeProvider _time;

    private ClusterListener(HttpHost host, TimeProvider time) => (_host, _time) = (host, time);

    /// <param name="listen">Where.</param>
    /// <param name="credentials">What this node proves itself by.</param>
    /// <param name="rpc">Answers gRPC.</param>
    /// <param name="engine">Answers what is no gRPC, over HTTP/1.1.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Makes loggers.</param>
    /// <param name="stop">Cancels the start.</param>
    /// <exception cref="DaemonException">The address can't be bound.</exception>
    internal static async Task<ClusterListener> StartAsync(
        IPEndPoint listen, CredentialBox credentials, RpcServer rpc, RequestDelegate engine, TimeProvider time, ILoggerFactory logs, CancellationToken stop)
    {
        try
        {
            var host = await HttpHost.StartInlineAsync(
                server =>
                {
                    RpcKestrel.Configure(server);
                    server.Listen(listen, endpoint =>
                    {
                        // Its protocols are both by default; named, they bring a warning that TLS is missing, which is this project's own.
                        endpoint.Use(next => connection =>
                        {
                            if (connection.Features.Get<IConnectionSocketFeature>() is { Socket: var socket })
                                NodeLinks.Silence.Limit(socket);
                            return next(connection);
                        });
                        MutualTls.Server(endpoint, credentials, time, logs.CreateLogger("Orchestrator.Cli.Daemon.ClusterListener"));
                        endpoint.UseApartForHttp11();
                        endpoint.UseHijack();
                    });
                },
                async http =>
                {
                    if (!await rpc.TryHandleAsync(http))
                        await engine(http);
                },
                logs,
                stop);
            return new(host, time);
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            throw new DaemonException(
                $"the cluster port {listen} can't be opened: {failure.GetBaseException().Message}; give this node another with --listen-addr, or stop what listens there", failure);
        }
    }

    /// <summary>Tells beforehand whether the address can be bound: a token is not to be used up for a node that nobody could reach.</summary>
    /// <exception cref="DaemonException">It can't.</exception>
    internal static void Probe(IPEndPoint listen)
    {
        using var socket = new Socket(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(listen);
            socket.Listen();
        }
        catch (SocketException failure)
        {
            throw new DaemonException(
                $"the cluster port {listen} can't be opened: {failure.Message}; give this node another with --listen-addr, or stop what listens there", failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(Patience, _time);
        await _host.StopAsync(patience.Token);
        await _host.DisposeAsync();
    }
}
