using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Tests.Integration.Rpc;

/// <summary>Kestrel with a gRPC server on a loopback port.</summary>
internal sealed class RpcHost : IAsyncDisposable
{
    private readonly WebApplication host;

    private RpcHost(WebApplication host, IPEndPoint address) => (this.host, Address) = (host, address);

    internal IPEndPoint Address { get; }

    internal RpcChannelOptions Client => new() { Connect = RpcConnects.Tcp(Address) };

    internal static async Task<RpcHost> StartAsync(RpcServer server, int port = 0)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddLogging(l => l.SetMinimumLevel(LogLevel.None));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k =>
        {
            RpcKestrel.Configure(k);
            k.Listen(IPAddress.Loopback, port, RpcKestrel.Endpoint);
        });
        var app = builder.Build();
        app.Run(async context =>
        {
            if (!await server.TryHandleAsync(context))
                context.Response.StatusCode = StatusCodes.Status404NotFound;
        });
        await app.StartAsync();
        var url = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return new(app, new(IPAddress.Loopback, url.Port));
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await host.StopAsync(now.Token);
        await host.DisposeAsync();
    }
}
