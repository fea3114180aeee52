using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>What every task of a service is made from.</summary>
public sealed record TaskSpec
{
    public ContainerSpec? ContainerSpec { get; init; }
    public ResourceRequirements? Resources { get; init; }
    public RestartPolicy? RestartPolicy { get; init; }
    public Placement? Placement { get; init; }
    public IReadOnlyList<NetworkAttachmentConfig> Networks { get; init => field = value ?? []; } = [];
    public LogDriver? LogDriver { get; init; }
    public ulong ForceUpdate { get; init; }
    public string? Runtime { get; init; }
}

/// <summary>The container of a task, in the Engine API's words.</summary>
public sealed record ContainerSpec
{
    public string Image { get => field ?? ""; init; } = "";
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    /// <summary>Replaces the image's entrypoint.</summary>
    public IReadOnlyList<string> Command { get; init => field = value ?? []; } = [];
    /// <summary>Replaces the image's command.</summary>
    public IReadOnlyList<string> Args { get; init => field = value ?? []; } = [];
    public string? Hostname { get; init; }
    public IReadOnlyList<string> Env { get; init => field = value ?? []; } = [];
    public string? Dir { get; init; }
    public string? User { get; init; }
    public IReadOnlyList<string> Groups { get; init => field = value ?? []; } = [];
    public Privileges? Privileges { get; init; }
    [JsonPropertyName("TTY")] public bool Tty { get; init; }
    public bool OpenStdin { get; init; }
    public bool ReadOnly { get; init; }
    public IReadOnlyList<Mount> Mounts { get; init => field = value ?? []; } = [];
    public string? StopSignal { get; init; }
    [JsonConverter(typeof(NanosecondsConverter))] public TimeSpan? StopGracePeriod { get; init; }
    public HealthConfig? Healthcheck { get; init; }
    /// <summary>Extra lines of /etc/hosts, each <c>IP hostname [alias…]</c>.</summary>
    public IReadOnlyList<string> Hosts { get; init => field = value ?? []; } = [];
    [JsonPropertyName("DNSConfig")] public DnsConfig? DnsConfig { get; init; }
    public IReadOnlyList<SecretReference> Secrets { get; init => field = value ?? []; } = [];
    public IReadOnlyList<ConfigReference> Configs { get; init => field = value ?? []; } = [];
    public long OomScoreAdj { get; init; }
    public string? Isolation { get; init; }
    public bool? Init { get; init; }
    public IReadOnlyDictionary<string, string> Sysctls { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public IReadOnlyList<string> CapabilityAdd { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> CapabilityDrop { get; init => field = value ?? []; } = [];
    public IReadOnlyList<Ulimit> Ulimits { get; init => field = value ?? []; } = [];
}

public sealed record Privileges
{
    public CredentialSpec? CredentialSpec { get; init; }
    [JsonPropertyName("SELinuxContext")] public SeLinuxContext? SeLinuxContext { get; init; }
    public SeccompOptions? Seccomp { get; init; }
    public AppArmorOptions? AppArmor { get; init; }
    public bool NoNewPrivileges { get; init; }
    /// <summary>orch's own, no part of the Engine API: <c>host</c> keeps the host's ids where the daemon remaps, <c>remap</c> refuses to run without.</summary>
    public string? UserNamespace { get; init; }
}

public sealed record CredentialSpec
{
    public string? Config { get; init; }
    public string? File { get; init; }
    public string? Registry { get; init; }
}

public sealed record SeLinuxContext
{
    public bool Disable { get; init; }
    public string? User { get; init; }
    public string? Role { get; init; }
    public string? Type { get; init; }
    public string? Level { get; init; }
}

public sealed record AppArmorOptions
{
    /// <summary><c>default</c> or <c>disabled</c>.</summary>
    public string? Mode { get; init; }
}

public sealed record SeccompOptions
{
    /// <summary><c>default</c>, <c>unconfined</c> or <c>custom</c>.</summary>
    public string? Mode { get; init; }
    /// <summary>The profile, base64 of JSON, when the mode is custom.</summary>
    public byte[]? Profile { get; init; }
}

/// <summary>A mount of a container: <c>bind</c>, <c>volume</c> or <c>tmpfs</c>.</summary>
public sealed record Mount
{
    public string Type { get => field ?? ""; init; } = "";
    public string? Source { get; init; }
    public string Target { get => field ?? ""; init; } = "";
    public bool ReadOnly { get; init; }
    public string? Consistency { get; init; }
    public BindOptions? BindOptions { get; init; }
    public VolumeOptions? VolumeOptions { get; init; }
    public TmpfsOptions? TmpfsOptions { get; init; }
}

public sealed record BindOptions
{
    public string? Propagation { get; init; }
    public bool NonRecursive { get; init; }
    public bool CreateMountpoint { get; init; }
    public bool ReadOnlyNonRecursive { get; init; }
    public bool ReadOnlyForceRecursive { get; init; }
}

public sealed record VolumeOptions
{
    public bool NoCopy { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public LogDriver? DriverConfig { get; init; }
    public string? Subpath { get; init; }
}

public sealed record TmpfsOptions
{
    /// <summary>Bytes; 0 means the kernel's default (half of memory).</summary>
    public long SizeBytes { get; init; }
    /// <summary>Permission bits, decimal in JSON; 0 means 1777.</summary>
    public uint Mode { get; init; }
    public IReadOnlyList<IReadOnlyList<string>> Options { get; init => field = value ?? []; } = [];
}

public sealed record HealthConfig
{
    public IReadOnlyList<string> Test { get; init => field = value ?? []; } = [];
    [JsonConverter(typeof(NanosecondsConverter))] public TimeSpan Interval { get; init; }
    [JsonConverter(typeof(NanosecondsConverter))] public TimeSpan Timeout { get; init; }
    public int Retries { get; init; }
    [JsonConverter(typeof(NanosecondsConverter))] public TimeSpan StartPeriod { get; init; }
    [JsonConverter(typeof(NanosecondsConverter))] public TimeSpan StartInterval { get; init; }
}

public sealed record DnsConfig
{
    public IReadOnlyList<string> Nameservers { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> Search { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> Options { get; init => field = value ?? []; } = [];
}

public sealed record SecretReference
{
    public ReferenceFile? File { get; init; }
    [JsonPropertyName("SecretID")] public string SecretId { get => field ?? ""; init; } = "";
    public string SecretName { get => field ?? ""; init; } = "";
}

public sealed record ConfigReference
{
    public ReferenceFile? File { get; init; }
    [JsonPropertyName("ConfigID")] public string ConfigId { get => field ?? ""; init; } = "";
    public string ConfigName { get => field ?? ""; init; } = "";
}

public sealed record ReferenceFile
{
    public string Name { get => field ?? ""; init; } = "";
    [JsonPropertyName("UID")] public string Uid { get => field ?? "0"; init; } = "0";
    [JsonPropertyName("GID")] public string Gid { get => field ?? "0"; init; } = "0";
    public uint Mode { get; init; }
}

public sealed record Ulimit
{
    public string Name { get => field ?? ""; init; } = "";
    public long Hard { get; init; }
    public long Soft { get; init; }
}

public sealed record ResourceRequirements
{
    public ResourceAmounts? Limits { get; init; }
    public ResourceAmounts? Reservations { get; init; }
}

/// <summary>Amounts of a host's or a task's resources; 0 means none set.</summary>
public sealed record ResourceAmounts
{
    /// <summary>Billionths of one CPU.</summary>
    [JsonPropertyName("NanoCPUs")] public long NanoCpus { get; init; }
    public long MemoryBytes { get; init; }
    /// <summary>Processes and threads; only a limit.</summary>
    public long Pids { get; init; }
    public IReadOnlyList<GenericResource> GenericResources { get; init => field = value ?? []; } = [];
}

public sealed record GenericResource
{
    public NamedGenericResource? NamedResourceSpec { get; init; }
    public DiscreteGenericResource? DiscreteResourceSpec { get; init; }
}

public sealed record NamedGenericResource
{
    public string Kind { get => field ?? ""; init; } = "";
    public string Value { get => field ?? ""; init; } = "";
}

public sealed record DiscreteGenericResource
{
    public string Kind { get => field ?? ""; init; } = "";
    public long Value { get; init; }
}

[JsonConverter(typeof(WordsAlone<RestartCondition>))]
public enum RestartCondition
{
    [JsonStringEnumMemberName("any")] Any,
    [JsonStringEnumMemberName("none")] None,
    [JsonStringEnumMemberName("on-failure")] OnFailure,
}

public sealed record RestartPolicy
{
    public RestartCondition Condition { get; init; } = RestartCondition.Any;
    /// <summary>Between restart attempts; absent means 5 s.</summary>
    [JsonConverter(typeof(NanosecondsConverter))] public TimeSpan? Delay { get; init; }
    /// <summary>0 means without end.</summary>
    public ulong? MaxAttempts { get; init; }
    /// <summary>Attempts are counted in this window; 0 means since the beginning.</summary>
    [JsonConverter(typeof(NanosecondsConverter))] public TimeSpan? Window { get; init; }
}

public sealed record Placement
{
    /// <summary>Each <c>key==value</c> or <c>key!=value</c>.</summary>
    public IReadOnlyList<string> Constraints { get; init => field = value ?? []; } = [];
    public IReadOnlyList<PlacementPreference> Preferences { get; init => field = value ?? []; } = [];
    /// <summary>Tasks of the service on one node; 0 means without end.</summary>
    public ulong MaxReplicas { get; init; }
    public IReadOnlyList<Platform> Platforms { get; init => field = value ?? []; } = [];
}

public sealed record PlacementPreference
{
    public SpreadOver? Spread { get; init; }
}

/// <summary>Nodes are grouped by the value of a label, and each group is to have as many tasks as the others.</summary>
public sealed record SpreadOver
{
    private const string NodeLabel = "node.labels.";
    private const string EngineLabel = "engine.labels.";

    /// <summary><c>node.labels.KEY</c> or <c>engine.labels.KEY</c>.</summary>
    public string SpreadDescriptor { get => field ?? ""; init; } = "";

    /// <summary>Why the descriptor cannot be followed; null when it can.</summary>
    public string? Problem() =>
        (SpreadDescriptor.StartsWith(NodeLabel, StringComparison.Ordinal) && SpreadDescriptor.Length > NodeLabel.Length)
        || (SpreadDescriptor.StartsWith(EngineLabel, StringComparison.Ordinal) && SpreadDescriptor.Length > EngineLabel.Length)
            ? null
            : $"'{SpreadDescriptor}' is nothing to spread over: tasks spread over node.labels.KEY or engine.labels.KEY";

    /// <summary>The node's group; empty for all that do not have the label.</summary>
    public static string Value(string descriptor, Node node) => (descriptor.StartsWith(NodeLabel, StringComparison.Ordinal)
        ? node.Spec.Labels.GetValueOrDefault(descriptor[NodeLabel.Length..])
        : node.Description?.Engine.Labels.GetValueOrDefault(descriptor[Math.Min(descriptor.Length, EngineLabel.Length)..])) ?? "";
}

public sealed record LogDriver
{
    public string Name { get => field ?? ""; init; } = "";
    public IReadOnlyDictionary<string, string> Options { get; init => field = value ?? Empty.Map; } = Empty.Map;
}
