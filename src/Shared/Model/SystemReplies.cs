using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>Answer of <c>GET /version</c>.</summary>
public sealed record VersionReply
{
    public VersionPlatform Platform { get => field ?? new(); init; } = new();
    public IReadOnlyList<VersionComponent> Components { get; init => field = value ?? []; } = [];
    public string Version { get => field ?? ""; init; } = "";
    public string ApiVersion { get => field ?? ""; init; } = "";
    [JsonPropertyName("MinAPIVersion")] public string MinApiVersion { get => field ?? ""; init; } = "";
    public string GitCommit { get => field ?? ""; init; } = "";
    public string GoVersion { get => field ?? ""; init; } = "";
    public string Os { get => field ?? ""; init; } = "";
    public string Arch { get => field ?? ""; init; } = "";
    public string KernelVersion { get => field ?? ""; init; } = "";
    public string BuildTime { get => field ?? ""; init; } = "";
}

public sealed record VersionPlatform
{
    public string Name { get => field ?? "orch"; init; } = "orch";
}

public sealed record VersionComponent
{
    public string Name { get => field ?? ""; init; } = "";
    public string Version { get => field ?? ""; init; } = "";
    public IReadOnlyDictionary<string, string> Details { get; init => field = value ?? Empty.Map; } = Empty.Map;
}

/// <summary>Answer of <c>GET /info</c>: the members orch has something true to say for.</summary>
public sealed record InfoReply
{
    [JsonPropertyName("ID")] public string Id { get => field ?? ""; init; } = "";
    public int Containers { get; init; }
    public int ContainersRunning { get; init; }
    public int ContainersPaused { get; init; }
    public int ContainersStopped { get; init; }
    public int Images { get; init; }
    public string Driver { get => field ?? "overlay2"; init; } = "overlay2";
    public IReadOnlyList<IReadOnlyList<string>> DriverStatus { get; init => field = value ?? []; } = [];
    public string DockerRootDir { get => field ?? ""; init; } = "";
    public InfoPlugins Plugins { get => field ?? new(); init; } = new();
    public bool MemoryLimit { get; init; }
    public bool SwapLimit { get; init; }
    public bool CpuCfsPeriod { get; init; }
    public bool CpuCfsQuota { get; init; }
    [JsonPropertyName("CPUShares")] public bool CpuShares { get; init; }
    [JsonPropertyName("CPUSet")] public bool CpuSet { get; init; }
    public bool PidsLimit { get; init; }
    public bool OomKillDisable { get; init; }
    [JsonPropertyName("IPv4Forwarding")] public bool Ipv4Forwarding { get; init; }
    public bool Debug { get; init; }
    public string SystemTime { get => field ?? ""; init; } = "";
    public string LoggingDriver { get => field ?? "json-file"; init; } = "json-file";
    public string CgroupDriver { get => field ?? "cgroupfs"; init; } = "cgroupfs";
    public string CgroupVersion { get => field ?? ""; init; } = "";
    public string KernelVersion { get => field ?? ""; init; } = "";
    public string OperatingSystem { get => field ?? ""; init; } = "";
    [JsonPropertyName("OSVersion")] public string OsVersion { get => field ?? ""; init; } = "";
    [JsonPropertyName("OSType")] public string OsType { get => field ?? "linux"; init; } = "linux";
    public string Architecture { get => field ?? ""; init; } = "";
    [JsonPropertyName("NCPU")] public int Ncpu { get; init; }
    public long MemTotal { get; init; }
    public string IndexServerAddress { get => field ?? ""; init; } = "";
    public string Name { get => field ?? ""; init; } = "";
    public IReadOnlyList<string> Labels { get; init => field = value ?? []; } = [];
    public string ServerVersion { get => field ?? ""; init; } = "";
    public string DefaultRuntime { get => field ?? "orch"; init; } = "orch";
    public IReadOnlyDictionary<string, InfoRuntime> Runtimes { get; init => field = value ?? NoRuntimes; } = NoRuntimes;
    public SwarmInfo Swarm { get => field ?? new(); init; } = new();
    public bool LiveRestoreEnabled { get; init; } = true;
    public string Isolation { get => field ?? ""; init; } = "";
    public string InitBinary { get => field ?? "orch"; init; } = "orch";
    public IReadOnlyList<string> SecurityOptions { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> Warnings { get; init => field = value ?? []; } = [];

    private static readonly IReadOnlyDictionary<string, InfoRuntime> NoRuntimes =
        System.Collections.Frozen.FrozenDictionary<string, InfoRuntime>.Empty;
}

public sealed record InfoRuntime
{
    [JsonPropertyName("path")] public string Path { get => field ?? ""; init; } = "";
}

public sealed record InfoPlugins
{
    public IReadOnlyList<string> Volume { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> Network { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> Log { get; init => field = value ?? []; } = [];
}

/// <summary>What a host says of its part in a cluster.</summary>
public sealed record SwarmInfo
{
    [JsonPropertyName("NodeID")] public string NodeId { get => field ?? ""; init; } = "";
    public string NodeAddr { get => field ?? ""; init; } = "";
    /// <summary><c>inactive</c>, <c>pending</c>, <c>active</c>, <c>error</c> or <c>locked</c>.</summary>
    public string LocalNodeState { get => field ?? "inactive"; init; } = "inactive";
    public bool ControlAvailable { get; init; }
    public string Error { get => field ?? ""; init; } = "";
    public IReadOnlyList<PeerNode> RemoteManagers { get; init => field = value ?? []; } = [];
    public int? Nodes { get; init; }
    public int? Managers { get; init; }
    public Swarm? Cluster { get; init; }
}

public sealed record PeerNode
{
    [JsonPropertyName("NodeID")] public string NodeId { get => field ?? ""; init; } = "";
    public string Addr { get => field ?? ""; init; } = "";
}

/// <summary>One line of <c>GET /events</c>.</summary>
public sealed record EventMessage
{
    /// <summary><c>container</c>, <c>image</c>, <c>network</c>, <c>service</c>, <c>node</c>, <c>daemon</c>…</summary>
    public string Type { get => field ?? ""; init; } = "";
    public string Action { get => field ?? ""; init; } = "";
    public EventActor Actor { get => field ?? new(); init; } = new();
    /// <summary><c>local</c> or <c>swarm</c>.</summary>
    [JsonPropertyName("scope")] public string Scope { get => field ?? "local"; init; } = "local";
    /// <summary>Unix seconds.</summary>
    [JsonPropertyName("time")] public long Time { get; init; }
    [JsonPropertyName("timeNano")] public long TimeNano { get; init; }
    [JsonPropertyName("status")] public string? Status { get; init; }
    [JsonPropertyName("id")] public string? LegacyId { get; init; }
    [JsonPropertyName("from")] public string? From { get; init; }
}

public sealed record EventActor
{
    [JsonPropertyName("ID")] public string Id { get => field ?? ""; init; } = "";
    public IReadOnlyDictionary<string, string> Attributes { get; init => field = value ?? Empty.Map; } = Empty.Map;
}
