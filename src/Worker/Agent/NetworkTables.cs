using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Network;

namespace Orchestrator.Worker.Agent;

/// <summary>The manager's networks and endpoints in this host's words.</summary>
internal static class NetworkTables
{
    internal static HostNetwork Of(Shared.Model.Network network) => new()
    {
        Id = network.Id.Value,
        Name = network.Name,
        Driver = network.Driver,
        Internal = network.Internal,
        Subnets = [.. network.Ipam.Config.Where(c => !string.IsNullOrEmpty(c.Subnet)).Select(c => SubnetOf(c.Subnet!, c.Gateway))],
        Mtu = network.Options.TryGetValue("com.docker.network.driver.mtu", out var mtu) ? int.Parse(mtu, CultureInfo.InvariantCulture) : null,
    };

    /// <param name="table">The manager's.</param>
    /// <param name="epoch">Added to the version: a node that left a cluster and joined another goes on above what it knew.</param>
    internal static ServiceTable Of(EndpointTable table, ulong epoch) => new()
    {
        Version = epoch + table.Version,
        Ports =
        [
            .. table.Ports.Select(p => new PublishedPort
            {
                ServiceId = p.ServiceId.Value,
                ServiceName = p.ServiceName,
                Protocol = p.Protocol switch { "udp" => PortProtocol.Udp, "sctp" => PortProtocol.Sctp, _ => PortProtocol.Tcp },
                Port = p.PublishedPort,
                TargetPort = p.TargetPort,
                Backends = [.. p.Backends.Select(b => new Backend(IPAddress.Parse(b)))],
            }),
        ],
        Names = [.. table.Names.Select(n => new ServiceName(n.NetworkId.Value, n.Name, [.. n.Addresses.Select(IPAddress.Parse)]))],
    };

    /// <summary>Every address that a published port led to.</summary>
    internal static ImmutableHashSet<string> Backends(EndpointTable? table) =>
        table is null ? [] : [.. table.Ports.SelectMany(p => p.Backends)];

    private static Subnet SubnetOf(string prefix, string? gateway)
    {
        var network = IPNetwork.Parse(prefix);
        return new Subnet(network, string.IsNullOrEmpty(gateway) ? First(network) : IPAddress.Parse(gateway.Split('/')[0]));
    }

    private static IPAddress First(IPNetwork network)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        bytes[^1]++;
        return new IPAddress(bytes);
    }
}
