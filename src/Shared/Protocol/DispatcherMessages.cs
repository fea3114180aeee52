using System.Text.Json.Serialization;
using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Protocol;

/// <summary>The node that opens a session and what it has to offer.</summary>
public sealed record SessionRequest
{
    public required NodeId NodeId { get; init; }
    public required NodeDescription Description { get; init; }
    /// <summary>The node's own address as others reach it; empty: it does not know.</summary>
    public string Address { get => field ?? ""; init; } = "";
}

/// <summary>A manager and where its cluster port is.</summary>
public sealed record ManagerPeer
{
    /// <summary>Empty when only the address was told.</summary>
    public NodeId NodeId { get; init; }

    /// <summary><c>host:port</c>.</summary>
    public required string Address { get; init; }

    /// <summary>Its number in the consensus; null: not known, or made from its node's id.</summary>
    public ulong? Member { get; init; }
}

/// <summary>What a node is to run and to know. Replaces or changes what the agent held, by <see cref="Complete"/>.</summary>
public sealed record Assignments
{
    /// <summary>Names the session in heartbeats and reports.</summary>
    public required string SessionId { get; init; }
    /// <summary>Grows with every message of a session; a gap means a lost message and the agent opens a new session.</summary>
    public required ulong Sequence { get; init; }
    /// <summary>True: this is the whole set and what is not in it is to be removed.</summary>
    public bool Complete { get; init; }
    /// <summary>
    /// True: this brings no tasks. It is the session's first word, or it brings secrets and configs alone, because they and the tasks that need
    /// them are more than one message should hold. The tasks come after it; the first message with tasks is complete.
    /// </summary>
    public bool Partial { get; init; }
    /// <summary>Secrets that tasks of this node need and it was not sent in this session; to be kept in memory only.</summary>
    public IReadOnlyList<AssignedPayload> Secrets { get; init => field = value ?? []; } = [];
    public IReadOnlyList<AssignedPayload> Configs { get; init => field = value ?? []; } = [];
    /// <summary>Ids of secrets and configs that no task of this node needs any more: to be forgotten.</summary>
    public IReadOnlyList<string> RemovedPayloads { get; init => field = value ?? []; } = [];
    public IReadOnlyList<TaskAssignment> Tasks { get; init => field = value ?? []; } = [];
    public IReadOnlyList<TaskId> RemovedTasks { get; init => field = value ?? []; } = [];
    /// <summary>The networks that the node's tasks stand on, whole; null: unchanged, empty: none.</summary>
    public IReadOnlyList<Network>? Networks { get; init; }
    /// <summary>Names, backends and published ports, whole; null: unchanged.</summary>
    public EndpointTable? Endpoints { get; init; }
    /// <summary>The cluster's managers, whole; null: unchanged. The node keeps them, so that it finds another when this one is gone.</summary>
    public IReadOnlyList<ManagerPeer>? Managers { get; init; }
    /// <summary>The node's role in force; null: unchanged. A node that becomes a manager or ceases to be one acts on it.</summary>
    public NodeRole? Role { get; init; }
    /// <summary>
    /// The certificates of the roots that members trust, PEM, the newest first; null: unchanged. A node whose certificate was not issued under
    /// the newest renews it.
    /// </summary>
    public string? TrustedRoots { get; init; }
}

/// <summary>A task as its node needs it: the stored task and the name of its container.</summary>
public sealed record TaskAssignment
{
    public required ServiceTask Task { get; init; }
    public IReadOnlyDictionary<string, string> ServiceLabels { get; init => field = value ?? NoLabels; } = NoLabels;

    private static readonly IReadOnlyDictionary<string, string> NoLabels = System.Collections.Frozen.FrozenDictionary<string, string>.Empty;
}

/// <summary>A secret or a config as a node needs it.</summary>
public sealed record AssignedPayload
{
    [JsonPropertyName("ID")] public required string Id { get; init; }
    public string Name { get => field ?? ""; init; } = "";
    public byte[] Data { get => field ?? []; init; } = [];
    /// <summary>True: the data is a template to be filled in for each task.</summary>
    public bool Template { get; init; }

    /// <summary>Without its bytes.</summary>
    public override string ToString() => $"{Name} ({Id})";
}

/// <summary>Every published port and every name that a node's containers can ask for, from the one source of truth.</summary>
public sealed record EndpointTable
{
    /// <summary>The state's version this was made from; a node never goes back.</summary>
    public required ulong Version { get; init; }
    public IReadOnlyList<PublishedEndpoint> Ports { get; init => field = value ?? []; } = [];
    public IReadOnlyList<NamedEndpoint> Names { get; init => field = value ?? []; } = [];
}

/// <summary>A port published in mode <c>ingress</c> and the healthy tasks behind it.</summary>
public sealed record PublishedEndpoint
{
    [JsonPropertyName("ServiceID")] public required ServiceId ServiceId { get; init; }
    public required string ServiceName { get; init; }
    public required string Protocol { get; init; }
    public required int PublishedPort { get; init; }
    public required int TargetPort { get; init; }
    /// <summary>Plain addresses, no prefix length.</summary>
    public IReadOnlyList<string> Backends { get; init => field = value ?? []; } = [];
}

/// <summary>A name on a network: a service, <c>tasks.NAME</c>, an alias, or a task's own name.</summary>
public sealed record NamedEndpoint
{
    [JsonPropertyName("NetworkID")] public required NetworkId NetworkId { get; init; }
    public required string Name { get; init; }
    /// <summary>Plain addresses; empty when the name exists and no task is healthy.</summary>
    public IReadOnlyList<string> Addresses { get; init => field = value ?? []; } = [];
}

public sealed record HeartbeatRequest
{
    public required NodeId NodeId { get; init; }
    public required string SessionId { get; init; }
}

public sealed record HeartbeatReply
{
    /// <summary>When the next heartbeat is due.</summary>
    [JsonConverter(typeof(NanosecondsConverter))] public TimeSpan Period { get; init; }
}

public sealed record TaskStatusReport
{
    public required NodeId NodeId { get; init; }
    public required string SessionId { get; init; }
    public IReadOnlyList<TaskStatusUpdate> Updates { get; init => field = value ?? []; } = [];
}

public sealed record TaskStatusUpdate
{
    public required TaskId TaskId { get; init; }
    public required ServiceTaskStatus Status { get; init; }
}

public sealed record TaskStatusReply;
