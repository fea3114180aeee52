using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

[JsonConverter(typeof(WordsAlone<NodeRole>))]
public enum NodeRole
{
    [JsonStringEnumMemberName("worker")] Worker,
    [JsonStringEnumMemberName("manager")] Manager,
}

[JsonConverter(typeof(WordsAlone<NodeAvailability>))]
public enum NodeAvailability
{
    [JsonStringEnumMemberName("active")] Active,
    [JsonStringEnumMemberName("pause")] Pause,
    [JsonStringEnumMemberName("drain")] Drain,
}

[JsonConverter(typeof(WordsAlone<NodeState>))]
public enum NodeState
{
    [JsonStringEnumMemberName("unknown")] Unknown,
    [JsonStringEnumMemberName("down")] Down,
    [JsonStringEnumMemberName("ready")] Ready,
    [JsonStringEnumMemberName("disconnected")] Disconnected,
}

[JsonConverter(typeof(WordsAlone<Reachability>))]
public enum Reachability
{
    [JsonStringEnumMemberName("unknown")] Unknown,
    [JsonStringEnumMemberName("unreachable")] Unreachable,
    [JsonStringEnumMemberName("reachable")] Reachable,
}

/// <summary>A host that belongs to the cluster.</summary>
public sealed record Node
{
    [JsonPropertyName("ID")] public required NodeId Id { get; init; }
    public ObjectVersion Version { get => field ?? new(0); init; } = new(0);
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
    public NodeSpec Spec { get => field ?? new(); init; } = new();
    public NodeDescription? Description { get; init; }
    public NodeStatus Status { get => field ?? new(); init; } = new();
    public ManagerStatus? ManagerStatus { get; init; }

    /// <summary>Where the node answers other nodes, <c>host:port</c>; Docker knows no such member. Null: it has not said so yet.</summary>
    public string? ClusterAddr { get; init; }
}

public sealed record NodeSpec
{
    public string? Name { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public NodeRole Role { get; init; }
    public NodeAvailability Availability { get; init; }
}

/// <summary>What a host says of itself when its agent opens a session.</summary>
public sealed record NodeDescription
{
    public string Hostname { get => field ?? ""; init; } = "";
    public Platform Platform { get => field ?? new(); init; } = new();
    public ResourceAmounts Resources { get => field ?? new(); init; } = new();
    public EngineDescription Engine { get => field ?? new(); init; } = new();

    /// <summary>What its certificate says and whom it trusts; the node confirms it over a connection that it made with that certificate.</summary>
    [JsonPropertyName("TLSInfo")] public TlsInfo? TlsInfo { get; init; }
}

public sealed record Platform
{
    public string Architecture { get => field ?? ""; init; } = "";
    [JsonPropertyName("OS")] public string Os { get => field ?? ""; init; } = "";
}

public sealed record EngineDescription
{
    public string EngineVersion { get => field ?? ""; init; } = "";
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public IReadOnlyList<PluginDescription> Plugins { get; init => field = value ?? []; } = [];
}

public sealed record PluginDescription
{
    public string Type { get => field ?? ""; init; } = "";
    public string Name { get => field ?? ""; init; } = "";
}

public sealed record NodeStatus
{
    public NodeState State { get; init; }
    public string? Message { get; init; }
    public string? Addr { get; init; }
}

public sealed record ManagerStatus
{
    public bool Leader { get; init; }
    public Reachability Reachability { get; init; }
    public string Addr { get => field ?? ""; init; } = "";

    /// <summary>The manager's number in the consensus, one for each empty journal that it begins with; the API never shows it. Null: not said yet, or made from the node's id.</summary>
    public ulong? Member { get; init; }
}
