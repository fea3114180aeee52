using System.Net;

using Orchestrator.Worker.Linux.Netlink;
using Orchestrator.Worker.Network.Plan;

namespace Orchestrator.Worker.Network.Ports;

/// <summary>Who has which port of the calling thread's network namespace, as sock_diag(7) tells it.</summary>
internal sealed class SocketTable
{
    private readonly IReadOnlyList<BoundSocket> sockets;

    internal SocketTable(IReadOnlyList<BoundSocket> sockets) => this.sockets = sockets;

    internal static SocketTable Read()
    {
        using var diagnostics = NetlinkSocket.Open(NetlinkFamily.SocketDiagnostics);
        return new SocketTable(SocketDiagnostics.ReadBound(diagnostics));
    }

    /// <summary>The sentence naming the process that has the port, or null when it is free.</summary>
    internal string? WhoHas(PortProtocol protocol, IPAddress? hostIp, int port)
    {
        var found = sockets.FirstOrDefault(socket => socket.Protocol == (byte)protocol && socket.Port == port && Meets(socket.Address, hostIp));
        if (found is null)
            return null;
        var name = new HostPort(protocol, port);
        return FindProcess(found.Inode) is var (process, pid)
            ? $"port {name} is already in use by {process} (pid {pid})"
            : $"port {name} is already in use by another process";
    }

    private static bool Meets(IPAddress bound, IPAddress? wanted)
    {
        var address = bound.IsIPv4MappedToIPv6 ? bound.MapToIPv4() : bound;
        return wanted is null || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || address.Equals(wanted);
    }

    private static (string Process, int Pid)? FindProcess(uint inode)
    {
        var link = $"socket:[{inode}]";
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var pid))
                continue;
            try
            {
                if (Directory.EnumerateFiles(directory + "/fd").Any(fd => new FileInfo(fd).LinkTarget == link))
                    return (File.ReadAllText(directory + "/comm").Trim(), pid);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // It ended while we looked, or is not ours to look at.
            }
        }

        return null;
    }
}
