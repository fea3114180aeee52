using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;

namespace Orchestrator.Worker.Network;

/// <summary>A transport that ports are published for.</summary>
internal enum PortProtocol
{
    Tcp = 6,
    Udp = 17,

    /// <summary>Named in the API, refused with a sentence.</summary>
    Sctp = 132,
}

/// <summary>What a container's network namespace shall hold.</summary>
internal sealed record SandboxRequest
{
    /// <summary>The container's id.</summary>
    public required string Id { get; init; }

    public required string Hostname { get; init; }

    /// <summary>In this order <c>eth0</c>, <c>eth1</c>…; the first that is not internal gives the default route. Empty: loopback alone (<c>--network none</c>).</summary>
    public ImmutableArray<EndpointRequest> Endpoints { get; init; } = [];

    /// <summary>Upstream resolvers instead of the host's.</summary>
    public ImmutableArray<string> DnsServers { get; init; } = [];

    public ImmutableArray<string> DnsSearch { get; init; } = [];

    public ImmutableArray<string> DnsOptions { get; init; } = [];

    /// <summary>The user namespace that the network shall belong to; null: the host's own.</summary>
    public string? OwnerPath { get; init; }

    /// <summary>Ports of the host published to this container alone (<c>-p</c>, host mode).</summary>
    public ImmutableArray<PortRequest> HostPorts { get; init; } = [];
}

/// <summary>One attachment of a container to a network.</summary>
internal sealed record EndpointRequest
{
    public required string NetworkId { get; init; }

    /// <summary>From the manager's allocator; null: the host allocates from the network's subnet.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>Names that resolve to this endpoint for its neighbours on the network, beside what the service table says.</summary>
    public ImmutableArray<string> Aliases { get; init; } = [];

    /// <summary>Null: derived from the address, so that a reused address keeps its neighbours' ARP entries true.</summary>
    public PhysicalAddress? Mac { get; init; }
}

/// <summary>A host port to publish.</summary>
/// <param name="Protocol">TCP or UDP.</param>
/// <param name="HostIp">Null: every address of the host.</param>
/// <param name="HostPort">0: the host chooses.</param>
/// <param name="ContainerPort">Where it leads.</param>
/// <param name="LastHostPort">Above <paramref name="HostPort"/>: any free port of the range will do. Else nothing.</param>
internal sealed record PortRequest(PortProtocol Protocol, IPAddress? HostIp, int HostPort, int ContainerPort, int LastHostPort = 0)
{
    /// <summary>Whether the host chooses among several.</summary>
    internal bool IsRange => LastHostPort > HostPort;
}

/// <summary>A published host port, chosen number included.</summary>
internal sealed record BoundPort(PortProtocol Protocol, IPAddress? HostIp, int HostPort, int ContainerPort);

/// <summary>An interface as the container has it.</summary>
internal sealed record EndpointInfo
{
    public required string NetworkId { get; init; }

    public required string InterfaceName { get; init; }

    public required IPAddress Address { get; init; }

    public required int PrefixLength { get; init; }

    public required IPAddress Gateway { get; init; }

    public required PhysicalAddress Mac { get; init; }
}

/// <summary>A container's network namespace, ready to be entered.</summary>
internal sealed record Sandbox
{
    /// <summary>A bind mount of the namespace, for <c>setns</c>.</summary>
    public required string NetnsPath { get; init; }

    public required ImmutableArray<EndpointInfo> Endpoints { get; init; }

    public required ImmutableArray<BoundPort> Ports { get; init; }

    /// <summary>The whole text of the container's <c>/etc/resolv.conf</c>.</summary>
    public required string ResolvConf { get; init; }
}
