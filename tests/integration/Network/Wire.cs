using System.Net;
using System.Net.Sockets;
using System.Text;

using Orchestrator.Worker.Network;
using Orchestrator.Worker.Network.Ports;

namespace Orchestrator.Tests.Integration.Network;

/// <summary>Clients inside namespaces.</summary>
internal static class Wire
{
    internal static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    /// <summary>What a TCP server says before it closes; it is sent a line first.</summary>
    internal static async Task<string> FetchAsync(string ns, string address, int port)
    {
        using var sockets = new HostSockets(ns);
        var target = IPAddress.Parse(address);
        using var socket = await sockets.CreateAsync(target.AddressFamily, SocketType.Stream);
        using var deadline = new CancellationTokenSource(Deadline);
        await socket.ConnectAsync(new IPEndPoint(target, port), deadline.Token);
        await socket.SendAsync("hello\n"u8.ToArray(), deadline.Token);
        return await ReadToEndAsync(socket, deadline.Token);
    }

    /// <summary>Sends a datagram and returns the answer.</summary>
    internal static async Task<byte[]> AskAsync(string ns, string address, int port, byte[] question)
    {
        using var sockets = new HostSockets(ns);
        var target = IPAddress.Parse(address);
        using var socket = await sockets.CreateAsync(target.AddressFamily, SocketType.Dgram);
        using var deadline = new CancellationTokenSource(Deadline);
        await socket.ConnectAsync(new IPEndPoint(target, port), deadline.Token);
        await socket.SendAsync(question, deadline.Token);
        var buffer = new byte[65535];
        return buffer[..await socket.ReceiveAsync(buffer, deadline.Token)];
    }

    internal static async Task<string> ReadToEndAsync(Socket socket, CancellationToken stop)
    {
        var text = new StringBuilder();
        var buffer = new byte[1024];
        while (await socket.ReceiveAsync(buffer, stop) is var count && count > 0)
            text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        return text.ToString();
    }
}

/// <summary>A TCP or UDP server inside a namespace. It says its name and the asker's address.</summary>
internal sealed class Server : IAsyncDisposable
{
    private readonly HostSockets sockets;
    private readonly Socket socket;
    private readonly Task running;

    private Server(HostSockets sockets, Socket socket, Task running) => (this.sockets, this.socket, this.running) = (sockets, socket, running);

    internal static async Task<Server> StartAsync(string ns, int port, string name, PortProtocol protocol = PortProtocol.Tcp, string address = "0.0.0.0")
    {
        var made = new HostSockets(ns);
        var bound = await made.BindAsync(protocol, IPAddress.Parse(address), port);
        return new Server(made, bound, protocol == PortProtocol.Tcp ? AcceptAsync(bound, name) : EchoAsync(bound, name));
    }

    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        await running;
        sockets.Dispose();
    }

    private static async Task AcceptAsync(Socket socket, string name)
    {
        var answering = new List<Task>();
        try
        {
            while (true)
                answering.Add(AnswerAsync(await socket.AcceptAsync(), name));
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }

        await Task.WhenAll(answering);
    }

    private static async Task AnswerAsync(Socket client, string name)
    {
        using (client)
        {
            using var deadline = new CancellationTokenSource(Wire.Deadline);
            await client.ReceiveAsync(new byte[1024], deadline.Token);
            await client.SendAsync(Encoding.UTF8.GetBytes($"{name} {((IPEndPoint)client.RemoteEndPoint!).Address}"), deadline.Token);
            client.Shutdown(SocketShutdown.Both);
        }
    }

    private static async Task EchoAsync(Socket socket, string name)
    {
        try
        {
            var buffer = new byte[2048];
            while (true)
            {
                var from = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                await socket.SendToAsync(Encoding.UTF8.GetBytes(name), from.RemoteEndPoint);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }
}
