using System.Net.Sockets;
using System.Text;

namespace Orchestrator.Cli.Daemon;

/// <summary>Tells a service manager how far the daemon is (sd_notify(3)); nothing happens without one.</summary>
internal static class ReadyNotice
{
    internal static void Send(string state, string? socketPath)
    {
        if (string.IsNullOrEmpty(socketPath))
            return;
        // A leading @ names an abstract socket, which the kernel writes as a zero byte.
        var address = new UnixDomainSocketEndPoint(socketPath[0] == '@' ? '\0' + socketPath[1..] : socketPath);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.SendTo(Encoding.UTF8.GetBytes(state), address);
    }
}
