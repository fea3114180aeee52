using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>What a user wants of a service; the body of <c>POST /services/create</c>.</summary>
public sealed record ServiceSpec
{
    public string Name { get => field ?? ""; init; } = "";
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public TaskSpec TaskTemplate { get => field ?? new(); init; } = new();
    public ServiceMode Mode { get => field ?? new(); init; } = new();
    public UpdateConfig? UpdateConfig { get; init; }
    public UpdateConfig? RollbackConfig { get; init; }
    /// <summary>Deprecated in the API in favour of the task template's; still read.</summary>
    public IReadOnlyList<NetworkAttachmentConfig> Networks { get; init => field = value ?? []; } = [];
    public EndpointSpec? EndpointSpec { get; init; }
    /// <summary>Beyond the Engine API; null in an update: as it was.</summary>
    public ServiceExtension? Orch { get; init; }
}

/// <summary>Exactly one of the members is set; none means one replica.</summary>
public sealed record ServiceMode
{
    public ReplicatedMode? Replicated { get; init; }
    public GlobalMode? Global { get; init; }
    public ReplicatedJobMode? ReplicatedJob { get; init; }
    public GlobalMode? GlobalJob { get; init; }

    /// <summary>One task, or one completion, on every node that may run it.</summary>
    [JsonIgnore] public bool IsGlobal => Global is not null || GlobalJob is not null;

    /// <summary>Tasks run until they complete, and are not run again then.</summary>
    [JsonIgnore] public bool IsJob => ReplicatedJob is not null || GlobalJob is not null;
}

public sealed record ReplicatedMode
{
    /// <summary>How many tasks; absent means 1.</summary>
    public ulong? Replicas { get; init; }
}

public sealed record GlobalMode;

public sealed record ReplicatedJobMode
{
    /// <summary>How many tasks run at once; absent means 1.</summary>
    public ulong? MaxConcurrent { get; init; }
    /// <summary>How many tasks have to complete; absent means as many as run at once.</summary>
    public ulong? TotalCompletions { get; init; }
}

public sealed record UpdateConfig
{
    public ulong Parallelism { get; init; }
    [JsonConverter(typeof(NanosecondsConverter))] public TimeSpan Delay { get; init; }
    public string? FailureAction { get; init; }
    [JsonConverter(typeof(NanosecondsConverter))] public TimeSpan Monitor { get; init; }
    public double MaxFailureRatio { get; init; }
    public string? Order { get; init; }
}

public sealed record EndpointSpec
{
    /// <summary><c>vip</c> or <c>dnsrr</c>.</summary>
    public string? Mode { get; init; }
    public IReadOnlyList<PortConfig> Ports { get; init => field = value ?? []; } = [];
}

/// <summary>One published port.</summary>
public sealed record PortConfig
{
    public string? Name { get; init; }
    /// <summary><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</summary>
    public string Protocol { get => field is null or "" ? "tcp" : field; init; } = "tcp";
    public int TargetPort { get; init; }
    /// <summary>0 until the allocator chose one.</summary>
    public int PublishedPort { get; init; }
    /// <summary><c>ingress</c> (every node answers) or <c>host</c> (only the task's own node).</summary>
    public string PublishMode { get => field is null or "" ? "ingress" : field; init; } = "ingress";
}

public sealed record NetworkAttachmentConfig
{
    /// <summary>A network's name or id; the manager stores the id.</summary>
    public string Target { get => field ?? ""; init; } = "";
    public IReadOnlyList<string> Aliases { get; init => field = value ?? []; } = [];
    public IReadOnlyDictionary<string, string> DriverOpts { get; init => field = value ?? Empty.Map; } = Empty.Map;
}
