using System.Collections.Immutable;
using System.Net;

namespace Orchestrator.Worker.Network;

/// <summary>The whole truth of published service ports and of names; the host compares it with the last one applied.</summary>
internal sealed record ServiceTable
{
    public required ulong Version { get; init; }

    /// <summary>Ports published in ingress mode.</summary>
    public ImmutableArray<PublishedPort> Ports { get; init; } = [];

    /// <summary>Service names, <c>tasks.NAME</c>, aliases and task names, flat.</summary>
    public ImmutableArray<ServiceName> Names { get; init; } = [];
}

/// <summary>A service's port, balanced over its backends; without a backend connections are refused.</summary>
internal sealed record PublishedPort
{
    public required string ServiceId { get; init; }

    public required string ServiceName { get; init; }

    public required PortProtocol Protocol { get; init; }

    /// <summary>The host's port.</summary>
    public required int Port { get; init; }

    /// <summary>The container's port.</summary>
    public required int TargetPort { get; init; }

    public required ImmutableArray<Backend> Backends { get; init; }
}

/// <summary>One task that answers a published port.</summary>
internal sealed record Backend(IPAddress Address);

/// <summary>A name as containers on one network see it.</summary>
internal sealed record ServiceName(string NetworkId, string Name, ImmutableArray<IPAddress> Addresses);

/// <summary>What became of a table.</summary>
/// <param name="Version">The version that is in force.</param>
/// <param name="Conflicts">Ports that could not be published, each with its sentence.</param>
internal sealed record ServiceTableResult(ulong Version, ImmutableArray<PortInUse> Conflicts);

/// <summary>A host port that is taken.</summary>
/// <param name="Reason">For example <c>port 8080/tcp is already in use by nginx (pid 812)</c>.</param>
internal sealed record PortInUse(PortProtocol Protocol, IPAddress? HostIp, int Port, string Reason);

/// <summary>What a recovery or removal took away and kept.</summary>
internal sealed record CleanUpReport
{
    public ImmutableArray<string> Adopted { get; init; } = [];

    public ImmutableArray<string> Removed { get; init; } = [];

    /// <summary>What should have gone and did not, each with its reason.</summary>
    public ImmutableArray<string> Failed { get; init; } = [];
}
