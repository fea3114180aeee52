using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Orchestrator.Cli.Daemon;

/// <summary>The addresses this host can be reached by, the uplink's first.</summary>
internal static class NodeAddresses
{
    internal static IReadOnlyList<(string Interface, IPAddress Address)> Read() =>
    [
        .. NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .Select(i => (i.Name, Properties: i.GetIPProperties()))
            .OrderByDescending(i => i.Properties.GatewayAddresses.Count)
            .SelectMany(i => i.Properties.UnicastAddresses.Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork).Select(a => (i.Name, a.Address))),
    ];
}
