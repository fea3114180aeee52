using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>A service as the cluster holds it.</summary>
public sealed record Service
{
    [JsonPropertyName("ID")] public required ServiceId Id { get; init; }
    public ObjectVersion Version { get => field ?? new(0); init; } = new(0);
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
    public required ServiceSpec Spec { get; init; }

    /// <summary>The log index at which <see cref="Spec"/> last changed; tasks name it as the one they were made from.</summary>
    public ObjectVersion SpecVersion { get => field ?? new(0); init; } = new(0);
    public ServiceSpec? PreviousSpec { get; init; }
    public ServiceEndpoint Endpoint { get => field ?? new(); init; } = new();
    public UpdateStatus? UpdateStatus { get; init; }
    /// <summary>Set for jobs only.</summary>
    public JobStatus? JobStatus { get; init; }
    /// <summary>Filled in for <c>GET /services?status=true</c> only; never stored.</summary>
    public ServiceStatus? ServiceStatus { get; init; }

    /// <summary>Set while the service's tasks are being removed; such a service no longer shows in the API.</summary>
    public bool PendingDelete { get; init; }
}

/// <summary>What the allocator gave the service.</summary>
public sealed record ServiceEndpoint
{
    public EndpointSpec Spec { get => field ?? new(); init; } = new();
    public IReadOnlyList<PortConfig> Ports { get; init => field = value ?? []; } = [];
    [JsonPropertyName("VirtualIPs")] public IReadOnlyList<VirtualIp> VirtualIps { get; init => field = value ?? []; } = [];
}

public sealed record VirtualIp
{
    [JsonPropertyName("NetworkID")] public NetworkId NetworkId { get; init; }
    /// <summary>In CIDR form.</summary>
    public string Addr { get => field ?? ""; init; } = "";
}

public sealed record UpdateStatus
{
    public string? State { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public string? Message { get; init; }
}

/// <summary>Which run of a job this is.</summary>
public sealed record JobStatus
{
    /// <summary>Names the run: the log index at which it was asked for. Each of its tasks bears it.</summary>
    public ObjectVersion JobIteration { get => field ?? new(0); init; } = new(0);
    public DateTimeOffset LastExecution { get; init; }
}

public sealed record ServiceStatus
{
    public ulong RunningTasks { get; init; }
    public ulong DesiredTasks { get; init; }
    public ulong CompletedTasks { get; init; }
}

/// <summary>Answer of <c>POST /services/{id}/update</c>.</summary>
public sealed record ServiceUpdateReply
{
    public IReadOnlyList<string>? Warnings { get; init; }
}
