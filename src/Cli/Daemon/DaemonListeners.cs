using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon;

/// <summary>The sockets at which the daemon answers its own host, and operators by TLS; the cluster port is the member's (<see cref="ClusterListener"/>).</summary>
/// <param name="parts">Take what listens.</param>
internal sealed class DaemonListeners(DaemonOptions options, TlsParts? tls, StartedParts parts, TimeProvider time, ILoggerFactory logs)
{
    /// <summary>How long calls may go on after the order to stop; streams without end are cut then.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>The node's own agent asks its own manager here: gRPC, for root alone.</summary>
    internal async Task ListenClusterAsync(string path, SwarmNode node, CancellationToken stop)
    {
        await ApiSocket.ClearAsync(path, stop);
        var rpc = new RpcServer(time, logs.CreateLogger("Orchestrator.Shared.Rpc")) { Local = () => node.Self };
        DispatcherRpc.Map(rpc, () => node.Dispatcher);
        var host = await HttpHost.StartAsync(
            server =>
            {
                RpcKestrel.Configure(server);
                server.ListenUnixSocket(path, RpcKestrel.Endpoint);
            },
            async http =>
            {
                if (!await rpc.TryHandleAsync(http))
                    http.Response.StatusCode = 404;
            },
            logs,
            stop);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        parts.Add("cluster socket", () => StopAsync(host, [path]));
    }

    /// <summary>The Engine API, at every address that the options name.</summary>
    internal async Task ListenApiAsync(ApiRouter router, CancellationToken stop)
    {
        var secured = tls is null ? null : new ApiTls(tls, time, logs.CreateLogger("Orchestrator.Cli.Daemon.ApiTls"));
        var host = await HttpHost.StartAsync(
            server =>
            {
                // Archives are large and logs are slow: both are the caller's own affair on a socket of this host.
                server.Limits.MaxRequestBodySize = null;
                server.Limits.MinRequestBodyDataRate = null;
                server.Limits.MinResponseDataRate = null;
                foreach (var path in options.SocketPaths)
                {
                    server.ListenUnixSocket(path, endpoint =>
                    {
                        endpoint.Protocols = HttpProtocols.Http1;
                        endpoint.UseHijack();
                    });
                }

                foreach (var address in options.TcpEndpoints)
                {
                    server.Listen(address, endpoint =>
                    {
                        endpoint.Protocols = HttpProtocols.Http1;
                        secured!.Secure(endpoint);
                        endpoint.UseHijack();
                    });
                }
            },
            ApiTls.Guard(router.DispatchAsync),
            logs,
            stop);
        foreach (var path in options.SocketPaths)
            ApiSocket.Share(path);
        parts.Add("API", () => StopAsync(host, options.SocketPaths));
    }

    private async ValueTask StopAsync(HttpHost host, IReadOnlyList<string> paths)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        await host.StopAsync(patience.Token);
        await host.DisposeAsync();
        foreach (var path in paths)
            File.Delete(path);
    }
}
