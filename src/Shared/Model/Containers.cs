using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

public sealed record ContainerCreateReply
{
    public required string Id { get; init; }
    public IReadOnlyList<string> Warnings { get; init => field = value ?? []; } = [];
}

/// <summary>A row of <c>GET /containers/json</c>.</summary>
public sealed record ContainerSummary
{
    public required string Id { get; init; }
    /// <summary>Each with a leading slash.</summary>
    public IReadOnlyList<string> Names { get; init => field = value ?? []; } = [];
    public string Image { get => field ?? ""; init; } = "";
    [JsonPropertyName("ImageID")] public string ImageId { get => field ?? ""; init; } = "";
    public string Command { get => field ?? ""; init; } = "";
    /// <summary>Unix seconds.</summary>
    public long Created { get; init; }
    public IReadOnlyList<PortSummary> Ports { get; init => field = value ?? []; } = [];
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public string State { get => field ?? ""; init; } = "";
    public string Status { get => field ?? ""; init; } = "";
    public HostConfigSummary HostConfig { get => field ?? new(); init; } = new();
    public NetworkSettingsSummary NetworkSettings { get => field ?? new(); init; } = new();
    public IReadOnlyList<MountPoint> Mounts { get; init => field = value ?? []; } = [];
    public long? SizeRw { get; init; }
    public long? SizeRootFs { get; init; }
}

public sealed record HostConfigSummary
{
    public string NetworkMode { get => field ?? ""; init; } = "";
}

public sealed record NetworkSettingsSummary
{
    public IReadOnlyDictionary<string, EndpointSettings>? Networks { get; init; }
}

public sealed record PortSummary
{
    [JsonPropertyName("IP")] public string? Ip { get; init; }
    public int PrivatePort { get; init; }
    public int? PublicPort { get; init; }
    public string Type { get => field ?? "tcp"; init; } = "tcp";
}

public sealed record MountPoint
{
    public string Type { get => field ?? ""; init; } = "";
    public string? Name { get; init; }
    public string Source { get => field ?? ""; init; } = "";
    public string Destination { get => field ?? ""; init; } = "";
    public string? Driver { get; init; }
    public string Mode { get => field ?? ""; init; } = "";
    [JsonPropertyName("RW")] public bool Rw { get; init; }
    public string Propagation { get => field ?? ""; init; } = "";
}

/// <summary>Answer of <c>GET /containers/{id}/json</c>.</summary>
public sealed record ContainerInspect
{
    public required string Id { get; init; }
    public DateTimeOffset Created { get; init; }
    public string Path { get => field ?? ""; init; } = "";
    public IReadOnlyList<string> Args { get; init => field = value ?? []; } = [];
    public ContainerStateReply State { get => field ?? new(); init; } = new();
    public string Image { get => field ?? ""; init; } = "";
    public string ResolvConfPath { get => field ?? ""; init; } = "";
    public string HostnamePath { get => field ?? ""; init; } = "";
    public string HostsPath { get => field ?? ""; init; } = "";
    public string LogPath { get => field ?? ""; init; } = "";
    public string Name { get => field ?? ""; init; } = "";
    public int RestartCount { get; init; }
    public string Driver { get => field ?? "overlay2"; init; } = "overlay2";
    public string Platform { get => field ?? "linux"; init; } = "linux";
    public string MountLabel { get => field ?? ""; init; } = "";
    public string ProcessLabel { get => field ?? ""; init; } = "";
    public string AppArmorProfile { get => field ?? ""; init; } = "";
    public HostConfig HostConfig { get => field ?? new(); init; } = new();
    public IReadOnlyList<MountPoint> Mounts { get; init => field = value ?? []; } = [];
    public ContainerConfig Config { get => field ?? new(); init; } = new();
    public ContainerNetworkSettings NetworkSettings { get => field ?? new(); init; } = new();
    [JsonPropertyName("ExecIDs")] public IReadOnlyList<string>? ExecIds { get; init; }
    public long? SizeRw { get; init; }
    public long? SizeRootFs { get; init; }
}

public sealed record ContainerStateReply
{
    /// <summary><c>created</c>, <c>running</c>, <c>paused</c>, <c>restarting</c>, <c>removing</c>, <c>exited</c> or <c>dead</c>.</summary>
    public string Status { get => field ?? "created"; init; } = "created";
    public bool Running { get; init; }
    public bool Paused { get; init; }
    public bool Restarting { get; init; }
    [JsonPropertyName("OOMKilled")] public bool OomKilled { get; init; }
    public bool Dead { get; init; }
    public int Pid { get; init; }
    public int ExitCode { get; init; }
    public string Error { get => field ?? ""; init; } = "";
    public DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset FinishedAt { get; init; }
    public ContainerHealth? Health { get; init; }
}

/// <summary>What a container's health check found.</summary>
public sealed record ContainerHealth
{
    /// <summary><c>starting</c>, <c>healthy</c> or <c>unhealthy</c>.</summary>
    public string Status { get => field ?? "starting"; init; } = "starting";
    public int FailingStreak { get; init; }
    /// <summary>The newest probes, the newest last; at most five.</summary>
    public IReadOnlyList<HealthProbe> Log { get; init => field = value ?? []; } = [];
}

public sealed record HealthProbe
{
    public DateTimeOffset Start { get; init; }
    public DateTimeOffset End { get; init; }
    /// <summary>0 healthy, 1 unhealthy, -1 timed out or not started.</summary>
    public int ExitCode { get; init; }
    /// <summary>What it printed: its first 4096 bytes.</summary>
    public string Output { get => field ?? ""; init; } = "";
}

public sealed record ContainerNetworkSettings
{
    [JsonPropertyName("SandboxID")] public string SandboxId { get => field ?? ""; init; } = "";
    public string SandboxKey { get => field ?? ""; init; } = "";
    public IReadOnlyDictionary<string, IReadOnlyList<PortBinding>?> Ports { get; init => field = value ?? NoPorts; } = NoPorts;
    [JsonPropertyName("EndpointID")] public string EndpointId { get => field ?? ""; init; } = "";
    /// <summary>On the default network; empty where the container is not on it, or does not run. So are its neighbours here.</summary>
    [JsonPropertyName("IPAddress")] public string IpAddress { get => field ?? ""; init; } = "";
    [JsonPropertyName("IPPrefixLen")] public int IpPrefixLen { get; init; }
    public string Gateway { get => field ?? ""; init; } = "";
    public string MacAddress { get => field ?? ""; init; } = "";
    public IReadOnlyDictionary<string, EndpointSettings> Networks { get; init => field = value ?? NoNetworks; } = NoNetworks;

    private static readonly IReadOnlyDictionary<string, IReadOnlyList<PortBinding>?> NoPorts =
        System.Collections.Frozen.FrozenDictionary<string, IReadOnlyList<PortBinding>?>.Empty;

    private static readonly IReadOnlyDictionary<string, EndpointSettings> NoNetworks =
        System.Collections.Frozen.FrozenDictionary<string, EndpointSettings>.Empty;
}

/// <summary>Answer of <c>POST /containers/{id}/wait</c>.</summary>
public sealed record ContainerWaitReply
{
    public int StatusCode { get; init; }
    public ContainerWaitError? Error { get; init; }
}

public sealed record ContainerWaitError
{
    public string Message { get => field ?? ""; init; } = "";
}

/// <summary>Answer of <c>GET /containers/{id}/top</c>.</summary>
public sealed record ContainerTopReply
{
    public IReadOnlyList<string> Titles { get; init => field = value ?? []; } = [];
    public IReadOnlyList<IReadOnlyList<string>> Processes { get; init => field = value ?? []; } = [];
}

/// <summary>A row of <c>GET /containers/{id}/changes</c>.</summary>
/// <param name="Kind">0 modified, 1 added, 2 deleted.</param>
public sealed record FilesystemChange(string Path, int Kind);

/// <summary>Answer of <c>POST /containers/{id}/update</c>.</summary>
public sealed record ContainerUpdateReply
{
    public IReadOnlyList<string> Warnings { get; init => field = value ?? []; } = [];
}
