using System.Net.Sockets;

using Microsoft.Extensions.Logging;

namespace Orchestrator.Worker.Network.Ports;

/// <summary>One held port: its socket, and the relay from [::1].</summary>
internal sealed class PortHolder : IAsyncDisposable
{
    private readonly Socket main;
    private readonly Socket? loopback;
    private readonly CancellationTokenSource stop = new();
    private readonly Task running;

    internal PortHolder(PortProtocol protocol, Socket main, Socket? loopback, HostSockets? host, ILogger log)
    {
        this.main = main;
        this.loopback = loopback;
        var refusing = protocol == PortProtocol.Tcp ? RefuseAsync() : Task.CompletedTask;
        var relaying = (loopback, host) switch
        {
            ({ } from, { } by) when protocol == PortProtocol.Tcp => new TcpRelay(from, by, log).RunAsync(stop.Token),
            ({ } from, { } by) => new UdpRelay(from, by, log).RunAsync(stop.Token),
            _ => Task.CompletedTask,
        };
        running = Task.WhenAll(refusing, relaying);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        main.Dispose();
        loopback?.Dispose();
        await running;
        stop.Dispose();
    }

    private async Task RefuseAsync()
    {
        try
        {
            while (true)
            {
                using var stray = await main.AcceptAsync(stop.Token);
                stray.LingerState = new LingerOption(enable: true, seconds: 0);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
        {
            // Released.
        }
    }
}
