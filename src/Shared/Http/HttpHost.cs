using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Orchestrator.Shared.Http;

/// <summary>Kestrel and one handler, without the web framework around it: no configuration, no container of services, ready in milliseconds.</summary>
public sealed class HttpHost : IAsyncDisposable
{
    private readonly KestrelServer _server;

    private HttpHost(KestrelServer server) => _server = server;

    /// <summary>Listens where <paramref name="configure"/> says.</summary>
    public static Task<HttpHost> StartAsync(
        Action<KestrelServerOptions> configure, RequestDelegate handle, ILoggerFactory logs, CancellationToken stop) =>
        // Not with inline scheduling, though it is faster: a handler that reads an archive would hold up the very thread that brings its bytes.
        // A buffer of 4 KiB for each connection spares every read a question before it.
        StartAsync(configure, new SocketTransportOptions { WaitForDataBeforeAllocatingBuffer = false }, handle, logs, stop);

    /// <summary>
    /// As <see cref="StartAsync(Action{KestrelServerOptions}, RequestDelegate, ILoggerFactory, CancellationToken)"/>, for handlers that never hold a thread (<see cref="ApartReading"/> is for those that do): what arrives is handled by the thread of the pool that was told of it,
    /// and an answer leaves from where it was written.
    /// </summary>
    public static Task<HttpHost> StartInlineAsync(
        Action<KestrelServerOptions> configure, RequestDelegate handle, ILoggerFactory logs, CancellationToken stop) =>
        StartAsync(configure, new SocketTransportOptions { UnsafePreferInlineScheduling = true }, handle, logs, stop);

    private static async Task<HttpHost> StartAsync(
        Action<KestrelServerOptions> configure, SocketTransportOptions transport, RequestDelegate handle, ILoggerFactory logs, CancellationToken stop)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        configure(options);
        var server = new KestrelServer(Options.Create(options), new SocketTransportFactory(Options.Create(transport), logs), logs);
        try
        {
            await server.StartAsync(new Application(handle), stop);
        }
        catch
        {
            server.Dispose();
            throw;
        }

        return new(server);
    }

    /// <summary>Takes no more connections, lets calls finish until cancelled, then cuts those that go on.</summary>
    public Task StopAsync(CancellationToken patience) => _server.StopAsync(patience);

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class Application(RequestDelegate handle) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => handle(context);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
            // Nothing is pooled, so nothing goes back.
        }
    }
}
