using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>What runs in a container, whatever the host: part of <c>POST /containers/create</c> and of inspect.</summary>
public record ContainerConfig
{
    public string? Hostname { get; init; }
    public string? Domainname { get; init; }
    public string? User { get; init; }
    public bool AttachStdin { get; init; }
    public bool AttachStdout { get; init; }
    public bool AttachStderr { get; init; }
    public IReadOnlyDictionary<string, EmptyObject> ExposedPorts { get; init => field = value ?? NoKeys; } = NoKeys;
    public bool Tty { get; init; }
    public bool OpenStdin { get; init; }
    public bool StdinOnce { get; init; }
    public IReadOnlyList<string> Env { get; init => field = value ?? []; } = [];
    /// <summary>Null: the image's.</summary>
    public IReadOnlyList<string>? Cmd { get; init; }
    public HealthConfig? Healthcheck { get; init; }
    public string Image { get => field ?? ""; init; } = "";
    public IReadOnlyDictionary<string, EmptyObject> Volumes { get; init => field = value ?? NoKeys; } = NoKeys;
    public string? WorkingDir { get; init; }
    /// <summary>Null: the image's; empty or one empty string: none.</summary>
    public IReadOnlyList<string>? Entrypoint { get; init; }
    public bool? NetworkDisabled { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public string? StopSignal { get; init; }
    /// <summary>Seconds.</summary>
    public int? StopTimeout { get; init; }
    public IReadOnlyList<string>? Shell { get; init; }

    private static readonly IReadOnlyDictionary<string, EmptyObject> NoKeys = System.Collections.Frozen.FrozenDictionary<string, EmptyObject>.Empty;
}

/// <summary>The API's <c>{}</c> in sets written as objects.</summary>
public sealed record EmptyObject;

/// <summary>Body of <c>POST /containers/create</c>.</summary>
public sealed record ContainerCreateRequest : ContainerConfig
{
    public HostConfig? HostConfig { get; init; }
    public NetworkingConfig? NetworkingConfig { get; init; }
}

/// <summary>How a container uses its host.</summary>
public sealed record HostConfig
{
    public IReadOnlyList<string> Binds { get; init => field = value ?? []; } = [];
    public LogConfig? LogConfig { get; init; }
    public string? NetworkMode { get; init; }
    public IReadOnlyDictionary<string, IReadOnlyList<PortBinding>> PortBindings { get; init => field = value ?? NoPorts; } = NoPorts;
    public ContainerRestartPolicy? RestartPolicy { get; init; }
    public bool AutoRemove { get; init; }
    public IReadOnlyList<Mount> Mounts { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> CapAdd { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> CapDrop { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> Dns { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> DnsOptions { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> DnsSearch { get; init => field = value ?? []; } = [];
    /// <summary>Each <c>host:ip</c>.</summary>
    public IReadOnlyList<string> ExtraHosts { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> GroupAdd { get; init => field = value ?? []; } = [];
    public long OomScoreAdj { get; init; }
    public bool Privileged { get; init; }
    public bool ReadonlyRootfs { get; init; }
    public IReadOnlyList<string> SecurityOpt { get; init => field = value ?? []; } = [];
    /// <summary>Options by mount point.</summary>
    public IReadOnlyDictionary<string, string> Tmpfs { get; init => field = value ?? Empty.Map; } = Empty.Map;
    /// <summary>Bytes of /dev/shm; 0 means 64 MiB.</summary>
    public long ShmSize { get; init; }
    public IReadOnlyDictionary<string, string> Sysctls { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public long CpuShares { get; init; }
    /// <summary>Bytes.</summary>
    public long Memory { get; init; }
    [JsonPropertyName("NanoCpus")] public long NanoCpus { get; init; }
    public long CpuPeriod { get; init; }
    public long CpuQuota { get; init; }
    public string? CpusetCpus { get; init; }
    public string? CpusetMems { get; init; }
    public long MemoryReservation { get; init; }
    public long MemorySwap { get; init; }
    public bool? Init { get; init; }
    public long? PidsLimit { get; init; }
    public IReadOnlyList<Ulimit> Ulimits { get; init => field = value ?? []; } = [];
    public string? CgroupParent { get; init; }
    /// <summary>Rows and columns of the terminal at first.</summary>
    public IReadOnlyList<int> ConsoleSize { get; init => field = value ?? []; } = [];
    public IReadOnlyList<DeviceMapping> Devices { get; init => field = value ?? []; } = [];
    /// <summary>Each <c>TYPE MAJOR:MINOR ACCESS</c>, as in the kernel's devices controller.</summary>
    public IReadOnlyList<string> DeviceCgroupRules { get; init => field = value ?? []; } = [];
    /// <summary>10 to 1000; 0 means the kernel's default.</summary>
    public int BlkioWeight { get; init; }
    public IReadOnlyList<WeightDevice> BlkioWeightDevice { get; init => field = value ?? []; } = [];
    /// <summary>Bytes a second.</summary>
    public IReadOnlyList<ThrottleDevice> BlkioDeviceReadBps { get; init => field = value ?? []; } = [];
    public IReadOnlyList<ThrottleDevice> BlkioDeviceWriteBps { get; init => field = value ?? []; } = [];
    /// <summary>Operations a second.</summary>
    [JsonPropertyName("BlkioDeviceReadIOps")] public IReadOnlyList<ThrottleDevice> BlkioDeviceReadIops { get; init => field = value ?? []; } = [];
    [JsonPropertyName("BlkioDeviceWriteIOps")] public IReadOnlyList<ThrottleDevice> BlkioDeviceWriteIops { get; init => field = value ?? []; } = [];
    /// <summary>Microseconds.</summary>
    public long CpuRealtimePeriod { get; init; }
    public long CpuRealtimeRuntime { get; init; }
    /// <summary>0 to 100; null and -1 mean the kernel's default.</summary>
    public long? MemorySwappiness { get; init; }
    public bool? OomKillDisable { get; init; }
    /// <summary><c>host</c>, <c>private</c> or empty.</summary>
    public string? CgroupnsMode { get; init; }
    /// <summary><c>private</c>, <c>shareable</c>, <c>host</c>, <c>none</c>, <c>container:ID</c> or empty.</summary>
    public string? IpcMode { get; init; }
    /// <summary><c>host</c>, <c>container:ID</c> or empty.</summary>
    public string? PidMode { get; init; }
    [JsonPropertyName("UTSMode")] public string? UtsMode { get; init; }
    /// <summary><c>host</c>: not remapped; empty: the daemon's own choice.</summary>
    public string? UsernsMode { get; init; }
    public IReadOnlyList<string> VolumesFrom { get; init => field = value ?? []; } = [];
    public string? VolumeDriver { get; init; }
    public bool PublishAllPorts { get; init; }
    public IReadOnlyDictionary<string, string> StorageOpt { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public IReadOnlyDictionary<string, string> Annotations { get; init => field = value ?? Empty.Map; } = Empty.Map;
    /// <summary>Null: the defaults; empty: none.</summary>
    public IReadOnlyList<string>? MaskedPaths { get; init; }
    public IReadOnlyList<string>? ReadonlyPaths { get; init; }

    private static readonly IReadOnlyDictionary<string, IReadOnlyList<PortBinding>> NoPorts =
        System.Collections.Frozen.FrozenDictionary<string, IReadOnlyList<PortBinding>>.Empty;
}

public sealed record LogConfig
{
    public string Type { get => field ?? ""; init; } = "";
    public IReadOnlyDictionary<string, string> Config { get; init => field = value ?? Empty.Map; } = Empty.Map;
}

public sealed record PortBinding
{
    public string? HostIp { get; init; }
    public string? HostPort { get; init; }
}

public sealed record ContainerRestartPolicy
{
    public string Name { get => field ?? "no"; init; } = "no";
    public int MaximumRetryCount { get; init; }
}

public sealed record NetworkingConfig
{
    public IReadOnlyDictionary<string, EndpointSettings?> EndpointsConfig { get; init => field = value ?? NoEndpoints; } = NoEndpoints;

    private static readonly IReadOnlyDictionary<string, EndpointSettings?> NoEndpoints =
        System.Collections.Frozen.FrozenDictionary<string, EndpointSettings?>.Empty;
}

/// <summary>A container's place on a network, asked for or given.</summary>
public sealed record EndpointSettings
{
    [JsonPropertyName("IPAMConfig")] public EndpointIpamConfig? IpamConfig { get; init; }
    public IReadOnlyList<string> Aliases { get; init => field = value ?? []; } = [];
    [JsonPropertyName("NetworkID")] public string NetworkId { get => field ?? ""; init; } = "";
    [JsonPropertyName("EndpointID")] public string EndpointId { get => field ?? ""; init; } = "";
    public string Gateway { get => field ?? ""; init; } = "";
    [JsonPropertyName("IPAddress")] public string IpAddress { get => field ?? ""; init; } = "";
    [JsonPropertyName("IPPrefixLen")] public int IpPrefixLen { get; init; }
    public string MacAddress { get => field ?? ""; init; } = "";
    [JsonPropertyName("DNSNames")] public IReadOnlyList<string> DnsNames { get; init => field = value ?? []; } = [];
}

public sealed record EndpointIpamConfig
{
    [JsonPropertyName("IPv4Address")] public string? Ipv4Address { get; init; }
}

/// <summary>A device of the host in the container.</summary>
public sealed record DeviceMapping
{
    public string PathOnHost { get => field ?? ""; init; } = "";
    public string PathInContainer { get => field ?? ""; init; } = "";
    /// <summary>Of <c>r</c>, <c>w</c> and <c>m</c>.</summary>
    public string CgroupPermissions { get => field ?? ""; init; } = "";
}

public sealed record WeightDevice
{
    public string Path { get => field ?? ""; init; } = "";
    public int Weight { get; init; }
}

public sealed record ThrottleDevice
{
    public string Path { get => field ?? ""; init; } = "";
    public long Rate { get; init; }
}

/// <summary>Body of <c>POST /containers/{id}/update</c>: 0 and null leave a limit as it is.</summary>
public sealed record ContainerUpdateRequest
{
    public long CpuShares { get; init; }
    [JsonPropertyName("NanoCpus")] public long NanoCpus { get; init; }
    public long CpuPeriod { get; init; }
    public long CpuQuota { get; init; }
    public long CpuRealtimePeriod { get; init; }
    public long CpuRealtimeRuntime { get; init; }
    public string? CpusetCpus { get; init; }
    public string? CpusetMems { get; init; }
    public long Memory { get; init; }
    public long MemoryReservation { get; init; }
    public long MemorySwap { get; init; }
    public int BlkioWeight { get; init; }
    public long? PidsLimit { get; init; }
    public ContainerRestartPolicy? RestartPolicy { get; init; }
}
