using System.Net;
using System.Net.Sockets;

using Microsoft.Extensions.Logging;

namespace Orchestrator.Worker.Network.Ports;

/// <summary>Carries connections from a listener on [::1] to the same port of 127.0.0.1, half-closes included.</summary>
internal sealed class TcpRelay(Socket listener, HostSockets host, ILogger log)
{
    private const int BufferBytes = 16 * 1024;

    private readonly int port = ((IPEndPoint)listener.LocalEndPoint!).Port;

    internal async Task RunAsync(CancellationToken stop)
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync(stop);
                open.RemoveAll(carrying => carrying.IsCompleted);
                open.Add(CarryAsync(client, stop));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            if (error is SocketException && !stop.IsCancellationRequested)
                log.RelayFailed(port, error.Message);
        }

        await Task.WhenAll(open);
    }

    private async Task CarryAsync(Socket client, CancellationToken stop)
    {
        using (client)
        {
            using var server = await host.CreateAsync(AddressFamily.InterNetwork, SocketType.Stream);
            try
            {
                client.NoDelay = server.NoDelay = true;
                await server.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), stop);
                await Task.WhenAll(CopyAsync(client, server, stop), CopyAsync(server, client, stop));
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException)
            {
                // One side broke off: the other learns it by a reset, as it would without us.
                client.LingerState = server.LingerState = new LingerOption(enable: true, seconds: 0);
            }
        }
    }

    private static async Task CopyAsync(Socket from, Socket to, CancellationToken stop)
    {
        var buffer = new byte[BufferBytes];
        while (await from.ReceiveAsync(buffer, stop) is var count && count > 0)
        {
            var sent = 0;
            while (sent < count)
                sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), stop);
        }

        to.Shutdown(SocketShutdown.Send);
    }
}
