using System.Text.Json.Serialization;
using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Protocol;

/// <summary>The node that opens a session and what it has to offer.</summary>
public sealed record SessionRequest
{
    public required NodeId NodeId { get; init; }
    public required NodeDescription Description { get; init; }
    /// <summary>The node's own address as others reach it.</summary>
    public string Address { get; init; } = "";
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
    public IReadOnlyList<TaskAssignment> Tasks { get; init => field = value ?? []; } = [];
    public IReadOnlyList<TaskId> RemovedTasks { get; init => field = value ?? []; } = [];
    /// <summary>The networks that the node's tasks stand on, whole; null: unchanged.</summary>
    public IReadOnlyList<Network>? Networks { get; init; }
    /// <summary>Names, backends and published ports, whole; null: unchanged.</summary>
    public EndpointTable? Endpoints { get; init; }
}

/// <summary>A task as its node needs it: the stored task and the name of its container.</summary>
public sealed record TaskAssignment
{
    public required ServiceTask Task { get; init; }
    public IReadOnlyDictionary<string, string> ServiceLabels { get; init => field = value ?? NoLabels; } = NoLabels;

    private static readonly IReadOnlyDictionary<string, string> NoLabels = System.Collections.Frozen.FrozenDictionary<string, string>.Empty;
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
