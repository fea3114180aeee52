using System.Net;

using Orchestrator.Worker.Network.Bridge;
using Orchestrator.Worker.Network.Dns;
using Orchestrator.Worker.Network.Plan;
using Orchestrator.Worker.Network.Ports;
using Orchestrator.Worker.Network.State;

namespace Orchestrator.Worker.Network;

/// <summary>A network that stands, with its bridge and its addresses.</summary>
internal sealed record StandingNetwork(HostNetwork Network, string Bridge, int BridgeIndex, int Mtu, AddressPool Pool)
{
    internal Subnet Subnet => Network.Subnets[0];

    internal RuledNetwork Rules => new(Bridge, Subnet.Prefix, Network.Internal);
}

/// <summary>What the network thread knows. Touched by that thread alone.</summary>
internal sealed class HostState
{
    internal Dictionary<string, StandingNetwork> Networks { get; } = new(StringComparer.Ordinal);

    /// <summary>Sandboxes that are complete.</summary>
    internal Dictionary<string, SandboxFile> Sandboxes { get; } = new(StringComparer.Ordinal);

    /// <summary>What the shim is asked for by sandboxes that are being made: a shim that starts anew meanwhile must not take it for nobody's.</summary>
    internal Dictionary<string, (DnsListen Listen, PortHold? Hold)> Pending { get; } = new(StringComparer.Ordinal);

    /// <summary>Ids of sandboxes being made or taken down.</summary>
    internal HashSet<string> Busy { get; } = new(StringComparer.Ordinal);

    internal bool ForwardingWasOff { get; set; }

    internal ServiceTable Services { get; set; } = new() { Version = 0 };

    /// <summary>The service ports in force: the table's without those in conflict.</summary>
    internal List<PublishedPort> Published { get; } = [];

    /// <summary>What the kernel forwards now.</summary>
    internal ForwardedPorts Forwarded { get; set; } = ForwardedPorts.Empty;

    internal IReadOnlyList<RuledNetwork> RuledNetworks => [.. Networks.Values.Select(network => network.Rules)];

    internal ForwardedPorts WantedPorts() => PortPlan.Want(
        Sandboxes.Values.SelectMany(file => file.Sandbox.Ports.Select(port => (PublishedAddress(file.Sandbox), port))), Published);

    /// <summary>The sentence against publishing the port, if this daemon has published it already.</summary>
    internal string? PublishedBy(PortProtocol protocol, IPAddress? hostIp, int port)
    {
        if (port == 0)
            return null;
        var name = new HostPort(protocol, port);
        foreach (var file in Sandboxes.Values)
        {
            if (file.Sandbox.Ports.Any(other => other.Protocol == protocol && other.HostPort == port && Meet(other.HostIp, hostIp)))
                return $"port {name} is already published by container {file.Request.Hostname} ({Short(file.Request.Id)})";
        }

        return Published.Find(other => other.Protocol == protocol && other.Port == port) is { } service
            ? $"port {name} is already published by service {service.ServiceName}"
            : null;
    }

    internal string Holder(string networkId, IPAddress address)
    {
        var holder = Sandboxes.Values.FirstOrDefault(
            file => file.Sandbox.Endpoints.Any(endpoint => endpoint.NetworkId == networkId && endpoint.Address.Equals(address)));
        return holder is null ? "another container" : $"container {holder.Request.Hostname} ({Short(holder.Request.Id)})";
    }

    internal static string Short(string id) => id.Length > 12 ? id[..12] : id;

    private static bool Meet(IPAddress? a, IPAddress? b) => a is null || b is null || a.Equals(b);

    // Where the default route is: answers must find the way back.
    private IPAddress PublishedAddress(Sandbox sandbox)
        => (sandbox.Endpoints.FirstOrDefault(endpoint => Networks.TryGetValue(endpoint.NetworkId, out var network) && !network.Network.Internal)
            ?? sandbox.Endpoints[0]).Address;
}
