using System.Collections.Immutable;
using System.Net;

namespace Orchestrator.Worker.Network;

/// <summary>An address range of a network and the host's own address in it.</summary>
/// <param name="Prefix">The range, for example <c>10.0.1.0/24</c>.</param>
/// <param name="Gateway">The address that the bridge carries and that containers route by.</param>
internal sealed record Subnet(IPNetwork Prefix, IPAddress Gateway);

/// <summary>A network as one host carries it.</summary>
internal sealed record HostNetwork
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary><c>bridge</c> or <c>overlay</c> (a bridge too until there are more hosts).</summary>
    public string Driver { get; init; } = "bridge";

    /// <summary>Empty: the host chooses a free range from its default pools.</summary>
    public ImmutableArray<Subnet> Subnets { get; init; } = [];

    /// <summary>No way out and no way in from outside.</summary>
    public bool Internal { get; init; }

    /// <summary>Null: the uplink's.</summary>
    public int? Mtu { get; init; }
}
