using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>Where a task is in its life. A task's observed state only ever grows.</summary>
[JsonConverter(typeof(WordsAlone<TaskState>))]
public enum TaskState
{
    [JsonStringEnumMemberName("new")] New = 0,
    [JsonStringEnumMemberName("pending")] Pending = 64,
    [JsonStringEnumMemberName("assigned")] Assigned = 192,
    [JsonStringEnumMemberName("accepted")] Accepted = 256,
    [JsonStringEnumMemberName("preparing")] Preparing = 320,
    [JsonStringEnumMemberName("ready")] Ready = 384,
    [JsonStringEnumMemberName("starting")] Starting = 448,
    [JsonStringEnumMemberName("running")] Running = 512,
    [JsonStringEnumMemberName("complete")] Complete = 576,
    [JsonStringEnumMemberName("shutdown")] Shutdown = 640,
    [JsonStringEnumMemberName("failed")] Failed = 704,
    [JsonStringEnumMemberName("rejected")] Rejected = 768,
    [JsonStringEnumMemberName("remove")] Remove = 800,
    [JsonStringEnumMemberName("orphaned")] Orphaned = 832,
}

public static class TaskStates
{
    /// <summary>No transition leaves these.</summary>
    public static bool IsTerminal(this TaskState state) => state > TaskState.Running;
}

/// <summary>One slot's (or one node's) unit of work: it is placed once, runs at most once, and is replaced rather than restarted.</summary>
/// <remarks>Named so because <c>Task</c> is the framework's. In the store <see cref="Spec"/> is shared by all tasks of a spec version.</remarks>
public sealed record ServiceTask
{
    [JsonPropertyName("ID")] public required TaskId Id { get; init; }
    public ObjectVersion Version { get => field ?? new(0); init; } = new(0);
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
    public string? Name { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public required TaskSpec Spec { get; init; }
    [JsonPropertyName("ServiceID")] public ServiceId ServiceId { get; init; }
    /// <summary>From 1 for replicated services; 0 for global ones.</summary>
    public int Slot { get; init; }
    /// <summary>Empty until the scheduler placed the task.</summary>
    [JsonPropertyName("NodeID")] public NodeId NodeId { get; init; }
    public ServiceTaskStatus Status { get => field ?? new(); init; } = new();
    public TaskState DesiredState { get; init; }
    public IReadOnlyList<NetworkAttachment> NetworksAttachments { get; init => field = value ?? []; } = [];
    public ObjectVersion? JobIteration { get; init; }

    /// <summary>The service's spec version this task was made from.</summary>
    public ObjectVersion? SpecVersion { get; init; }

    /// <summary>A replacement waits until then (the restart policy's delay) before its desired state becomes running.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>When the manager heard that the task runs; one with a health check runs when it is healthy.</summary>
    public DateTimeOffset? RunningSince { get; init; }

    /// <summary>The service's name when the task was made: the task's container is <c>NAME.SLOT.ID</c>, and history outlives the service.</summary>
    public string ServiceName { get => field ?? ""; init; } = "";

    /// <summary>The ports of the service that this task publishes on its own host (mode <c>host</c>).</summary>
    public IReadOnlyList<PortConfig> HostPorts { get; init => field = value ?? []; } = [];

    /// <summary>Set when the task was made to relieve one whose node is drained.</summary>
    public TaskRelief? Relief { get; init; }
}

/// <summary>A task of a drained node serves on until the one that relieves it runs.</summary>
public sealed record TaskRelief
{
    /// <summary>The task that is to go.</summary>
    [JsonPropertyName("TaskID")] public required TaskId TaskId { get; init; }

    /// <summary>Then it goes all the same.</summary>
    public DateTimeOffset Until { get; init; }
}

public sealed record ServiceTaskStatus
{
    public DateTimeOffset Timestamp { get; init; }
    public TaskState State { get; init; }
    public string? Message { get; init; }
    /// <summary>Why the task is not getting further, in a sentence.</summary>
    public string? Err { get; init; }
    public TaskContainerStatus? ContainerStatus { get; init; }
    public TaskPortStatus? PortStatus { get; init; }
}

public sealed record TaskContainerStatus
{
    [JsonPropertyName("ContainerID")] public string ContainerId { get => field ?? ""; init; } = "";
    [JsonPropertyName("PID")] public int Pid { get; init; }
    public int ExitCode { get; init; }
}

public sealed record TaskPortStatus
{
    public IReadOnlyList<PortConfig> Ports { get; init => field = value ?? []; } = [];
}

/// <summary>A task's place on a network. In the store the network is named by id only; the REST answer joins the network in.</summary>
public sealed record NetworkAttachment
{
    public Network? Network { get; init; }
    /// <summary>In CIDR form.</summary>
    public IReadOnlyList<string> Addresses { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> Aliases { get; init => field = value ?? []; } = [];
    [JsonPropertyName("NetworkID")] public NetworkId NetworkId { get; init; }
}
