using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>A network of the cluster (scope <c>swarm</c>) or of one host (scope <c>local</c>).</summary>
public sealed record Network
{
    public required string Name { get; init; }
    public required NetworkId Id { get; init; }
    public ObjectVersion? Version { get; init; }
    public DateTimeOffset Created { get; init; }
    public string Scope { get => field ?? "swarm"; init; } = "swarm";
    public string Driver { get => field ?? "overlay"; init; } = "overlay";
    [JsonPropertyName("EnableIPv4")] public bool EnableIpv4 { get; init; } = true;
    [JsonPropertyName("EnableIPv6")] public bool EnableIpv6 { get; init; }
    [JsonPropertyName("IPAM")] public Ipam Ipam { get => field ?? new(); init; } = new();
    public bool Internal { get; init; }
    public bool Attachable { get; init; }
    public bool Ingress { get; init; }
    public bool ConfigOnly { get; init; }
    public IReadOnlyDictionary<string, string> Options { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    /// <summary>By container id; filled in by inspect only.</summary>
    public IReadOnlyDictionary<string, NetworkContainer>? Containers { get; init; }
}

public sealed record NetworkContainer
{
    public string Name { get => field ?? ""; init; } = "";
    [JsonPropertyName("EndpointID")] public string EndpointId { get => field ?? ""; init; } = "";
    public string MacAddress { get => field ?? ""; init; } = "";
    [JsonPropertyName("IPv4Address")] public string Ipv4Address { get => field ?? ""; init; } = "";
    [JsonPropertyName("IPv6Address")] public string Ipv6Address { get => field ?? ""; init; } = "";
}

public sealed record Ipam
{
    public string Driver { get => field ?? "default"; init; } = "default";
    public IReadOnlyDictionary<string, string>? Options { get; init; }
    public IReadOnlyList<IpamConfig> Config { get; init => field = value ?? []; } = [];
}

public sealed record IpamConfig
{
    public string? Subnet { get; init; }
    [JsonPropertyName("IPRange")] public string? IpRange { get; init; }
    public string? Gateway { get; init; }
    public IReadOnlyDictionary<string, string>? AuxiliaryAddresses { get; init; }
}

/// <summary>Body of <c>POST /networks/create</c>.</summary>
public sealed record NetworkCreateRequest
{
    public string Name { get => field ?? ""; init; } = "";
    public bool CheckDuplicate { get; init; }
    public string? Driver { get; init; }
    public string? Scope { get; init; }
    public bool Internal { get; init; }
    public bool Attachable { get; init; }
    public bool Ingress { get; init; }
    public bool ConfigOnly { get; init; }
    [JsonPropertyName("IPAM")] public Ipam? Ipam { get; init; }
    [JsonPropertyName("EnableIPv4")] public bool? EnableIpv4 { get; init; }
    [JsonPropertyName("EnableIPv6")] public bool? EnableIpv6 { get; init; }
    public IReadOnlyDictionary<string, string> Options { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
}

public sealed record NetworkCreateReply
{
    public required string Id { get; init; }
    public string Warning { get => field ?? ""; init; } = "";
}

/// <summary>Answer of <c>POST /networks/prune</c>.</summary>
public sealed record NetworkPruneReply
{
    public IReadOnlyList<string> NetworksDeleted { get; init => field = value ?? []; } = [];
}
