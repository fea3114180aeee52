using System.Collections.Immutable;
using System.Net;

namespace Orchestrator.Worker.Network.Dns;

/// <summary>Daemon to shim: answer for this container.</summary>
internal sealed record DnsListen
{
    public required string SandboxId { get; init; }

    public required string NetnsPath { get; init; }

    /// <summary>The port of 127.0.0.11 that the container's port 53 leads to.</summary>
    public required int Port { get; init; }

    /// <summary>The networks whose names it may see.</summary>
    public required ImmutableArray<string> Networks { get; init; }

    /// <summary>Resolvers for all other names; empty: the host's.</summary>
    public ImmutableArray<IPAddress> Upstreams { get; init; } = [];

    /// <summary>False on internal networks alone: a query for a foreign name would be a way out.</summary>
    public bool Forward { get; init; } = true;
}

/// <summary>The port that the resolver got: another than asked for if a process of the container has taken that one since.</summary>
internal sealed record DnsListening(int Port);

internal sealed record DnsForget(string SandboxId);

/// <summary>Every name of every network of this host.</summary>
internal sealed record DnsTable(ImmutableArray<DnsNetwork> Networks)
{
    internal static DnsTable Empty { get; } = new([]);
}

internal sealed record DnsNetwork(string Id, ImmutableArray<DnsName> Names);

internal sealed record DnsName(string Name, ImmutableArray<IPAddress> Addresses);

/// <summary>The whole truth for a shim that may have started anew; listeners that are not in it end.</summary>
internal sealed record DnsSync(ImmutableArray<DnsListen> Listeners, DnsTable Table);
