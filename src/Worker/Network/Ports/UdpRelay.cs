using System.Net;
using System.Net.Sockets;

using Microsoft.Extensions.Logging;

namespace Orchestrator.Worker.Network.Ports;

/// <summary>Carries datagrams from [::1] to the same port of 127.0.0.1, with a socket per client so that answers find back. The oldest client yields.</summary>
internal sealed class UdpRelay(Socket listener, HostSockets host, ILogger log)
{
    private const int MaximumDatagram = 65535;
    private const int MaximumClients = 256;

    private readonly Dictionary<EndPoint, (Socket Socket, Task Answers)> clients = [];
    private readonly Queue<EndPoint> order = new();
    private readonly int port = ((IPEndPoint)listener.LocalEndPoint!).Port;

    internal async Task RunAsync(CancellationToken stop)
    {
        var buffer = new byte[MaximumDatagram];
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var received = await listener.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.IPv6Any, 0), stop);
                var server = await ClientAsync(received.RemoteEndPoint, stop);
                await server.SendAsync(buffer.AsMemory(0, received.ReceivedBytes), stop);
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                break;
            }
            catch (SocketException error)
            {
                log.RelayFailed(port, error.Message);
            }
        }

        foreach (var (socket, _) in clients.Values)
            socket.Dispose();
        await Task.WhenAll(clients.Values.Select(client => client.Answers));
    }

    private async Task<Socket> ClientAsync(EndPoint client, CancellationToken stop)
    {
        if (clients.TryGetValue(client, out var known))
            return known.Socket;
        if (clients.Count >= MaximumClients && order.TryDequeue(out var oldest) && clients.Remove(oldest, out var old))
        {
            old.Socket.Dispose();
            await old.Answers;
        }

        var socket = await host.CreateAsync(AddressFamily.InterNetwork, SocketType.Dgram);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), stop);
        clients.Add(client, (socket, AnswerAsync(socket, client, stop)));
        order.Enqueue(client);
        return socket;
    }

    private async Task AnswerAsync(Socket socket, EndPoint client, CancellationToken stop)
    {
        var buffer = new byte[MaximumDatagram];
        while (true)
        {
            try
            {
                var count = await socket.ReceiveAsync(buffer, stop);
                await listener.SendToAsync(buffer.AsMemory(0, count), client, stop);
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionRefused)
            {
                // Nobody answers there now; the next datagram may find a backend.
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }
}
