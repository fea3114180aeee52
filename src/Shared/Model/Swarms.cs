using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>The cluster as an object of its own state.</summary>
public sealed record Swarm
{
    [JsonPropertyName("ID")] public required string Id { get; init; }
    public ObjectVersion Version { get => field ?? new(0); init; } = new(0);
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
    public SwarmSpec Spec { get => field ?? new(); init; } = new();
    public bool RootRotationInProgress { get; init; }
    public uint DataPathPort { get => field == 0 ? 4789 : field; init; }
    public IReadOnlyList<string> DefaultAddrPool { get; init => field = value ?? []; } = [];
    public uint SubnetSize { get => field == 0 ? 24 : field; init; }
}

/// <summary>What an operator may set on the cluster.</summary>
public sealed record SwarmSpec
{
    public string Name { get => field ?? "default"; init; } = "default";
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public SwarmOrchestrationOptions Orchestration { get => field ?? new(); init; } = new();
    public SwarmRaftOptions Raft { get => field ?? new(); init; } = new();
    public SwarmDispatcherOptions Dispatcher { get => field ?? new(); init; } = new();
    public SwarmEncryptionOptions EncryptionConfig { get => field ?? new(); init; } = new();
}

public sealed record SwarmEncryptionOptions
{
    /// <summary>True: a manager that starts needs the unlock key before it can read its journal.</summary>
    public bool AutoLockManagers { get; init; }
}

public sealed record SwarmOrchestrationOptions
{
    /// <summary>How many old tasks of a slot are kept for <c>service ps</c>.</summary>
    public long? TaskHistoryRetentionLimit { get => field ?? 5; init; }
}

public sealed record SwarmRaftOptions
{
    /// <summary>Log entries between snapshots.</summary>
    public ulong SnapshotInterval { get => field == 0 ? 10_000 : field; init; }
    public ulong? KeepOldSnapshots { get => field ?? 0; init; }
    public ulong LogEntriesForSlowFollowers { get => field == 0 ? 500 : field; init; }
    public int ElectionTick { get => field == 0 ? 10 : field; init; }
    public int HeartbeatTick { get => field == 0 ? 1 : field; init; }
}

public sealed record SwarmDispatcherOptions
{
    [JsonConverter(typeof(NanosecondsConverter))]
    public TimeSpan HeartbeatPeriod { get => field == TimeSpan.Zero ? TimeSpan.FromSeconds(1) : field; init; }
}

/// <summary>Body of <c>POST /swarm/init</c>.</summary>
public sealed record SwarmInitRequest
{
    public string? ListenAddr { get; init; }
    public string? AdvertiseAddr { get; init; }
    public string? DataPathAddr { get; init; }
    public uint DataPathPort { get; init; }
    public IReadOnlyList<string> DefaultAddrPool { get; init => field = value ?? []; } = [];
    public uint SubnetSize { get; init; }
    public bool ForceNewCluster { get; init; }
    public bool AutoLockManagers { get; init; }
    public string? Availability { get; init; }
    public SwarmSpec? Spec { get; init; }
}

/// <summary>Body of <c>POST /swarm/join</c>.</summary>
public sealed record SwarmJoinRequest
{
    public string? ListenAddr { get; init; }
    public string? AdvertiseAddr { get; init; }
    public string? DataPathAddr { get; init; }

    /// <summary>Managers to ask, each <c>host[:port]</c>; tried in turn.</summary>
    public IReadOnlyList<string> RemoteAddrs { get; init => field = value ?? []; } = [];
    public string? JoinToken { get; init; }
    public string? Availability { get; init; }

    /// <summary>Without the token.</summary>
    public override string ToString() => $"join {string.Join(", ", RemoteAddrs)}";
}

/// <summary>Body of <c>POST /swarm/unlock</c>.</summary>
public sealed record SwarmUnlockRequest
{
    public string? UnlockKey { get; init; }

    /// <summary>Without the key.</summary>
    public override string ToString() => "unlock";
}

/// <summary>Answer of <c>GET /swarm/unlockkey</c>.</summary>
public sealed record UnlockKeyReply
{
    public string UnlockKey { get => field ?? ""; init; } = "";

    /// <summary>Without the key.</summary>
    public override string ToString() => "unlock key";
}

internal static class Empty
{
    internal static readonly IReadOnlyDictionary<string, string> Map = System.Collections.Frozen.FrozenDictionary<string, string>.Empty;
}
