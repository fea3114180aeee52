using System.Net;
using System.Net.Sockets;

using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Network.Ports;

/// <summary>Makes sockets in the namespace that plays the host: a socket belongs to the namespace of the thread that made it, for good.</summary>
internal sealed class HostSockets : IDisposable
{
    private const int Backlog = 16;

    private readonly NamespaceThread? thread;
    private readonly Task entered = Task.CompletedTask;

    internal HostSockets(string? netnsPath)
    {
        if (netnsPath is null)
            return;
        thread = new NamespaceThread("orch host sockets");
        entered = thread.RunAsync(() =>
        {
            using var ns = Namespaces.Open(netnsPath);
            Namespaces.EnterNetwork(ns);
        });
    }

    internal async Task<Socket> CreateAsync(AddressFamily family, SocketType type)
    {
        if (thread is null)
            return new Socket(family, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp);
        await entered;
        return await thread.RunAsync(() => new Socket(family, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp));
    }

    internal async Task<Socket> BindAsync(PortProtocol protocol, IPAddress address, int port)
    {
        var type = protocol == PortProtocol.Tcp ? SocketType.Stream : SocketType.Dgram;
        var socket = await CreateAsync(address.AddressFamily, type);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = false;
            socket.Bind(new IPEndPoint(address, port));
            if (type == SocketType.Stream)
                socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Null where the host has no ::1.</summary>
    internal async Task<Socket?> TryBindLoopback6Async(PortProtocol protocol, int port)
    {
        try
        {
            return await BindAsync(protocol, IPAddress.IPv6Loopback, port);
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported)
        {
            return null;
        }
    }

    public void Dispose() => thread?.Dispose();
}
