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

    /// <summary>Joined in where it is shown; never stored with the cluster.</summary>
    [JsonPropertyName("TLSInfo")] public TlsInfo? TlsInfo { get; init; }

    /// <summary>Joined in by <c>GET /swarm</c> alone.</summary>
    public SwarmJoinTokens? JoinTokens { get; init; }
}

/// <summary>The tokens by which hosts join.</summary>
public sealed record SwarmJoinTokens
{
    public required string Worker { get; init; }
    public required string Manager { get; init; }

    /// <summary>Without the tokens.</summary>
    public override string ToString() => "join tokens";
}

/// <summary>A CA as Docker tells of it: of the cluster what it should be, of a node what it has.</summary>
public sealed record TlsInfo
{
    /// <summary>The trusted roots, PEM; the issuing one first.</summary>
    public string TrustRoot { get => field ?? ""; init; } = "";

    /// <summary>DER in base64.</summary>
    public string CertIssuerSubject { get => field ?? ""; init; } = "";

    /// <summary>DER in base64.</summary>
    public string CertIssuerPublicKey { get => field ?? ""; init; } = "";
}

/// <summary>What an operator may set on the cluster.</summary>
public sealed record SwarmSpec
{
    public string Name { get => field ?? "default"; init; } = "default";
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public SwarmOrchestrationOptions Orchestration { get => field ?? new(); init; } = new();
    public SwarmRaftOptions Raft { get => field ?? new(); init; } = new();
    public SwarmDispatcherOptions Dispatcher { get => field ?? new(); init; } = new();
    [JsonPropertyName("CAConfig")] public SwarmCaOptions CaConfig { get => field ?? new(); init; } = new();
    public SwarmEncryptionOptions EncryptionConfig { get => field ?? new(); init; } = new();
}

public sealed record SwarmEncryptionOptions
{
    /// <summary>True: a manager that starts needs the unlock key before it can read its journal.</summary>
    public bool AutoLockManagers { get; init; }
}

/// <summary>How the cluster's CA works.</summary>
public sealed record SwarmCaOptions
{
    /// <summary>How long a node's certificate lives.</summary>
    [JsonConverter(typeof(NanosecondsConverter))]
    public TimeSpan NodeCertExpiry { get => field == TimeSpan.Zero ? TimeSpan.FromDays(90) : field; init; }

    /// <summary>Refused when not empty: the cluster's CA is its own.</summary>
    [JsonPropertyName("ExternalCAs")] public IReadOnlyList<SwarmExternalCa> ExternalCas { get; init => field = value ?? []; } = [];

    /// <summary>A root of the operator's own to rotate to, PEM.</summary>
    [JsonPropertyName("SigningCACert")] public string? SigningCaCert { get; init; }

    /// <summary>Its key, PEM. Taken in, never given out.</summary>
    [JsonPropertyName("SigningCAKey")] public string? SigningCaKey { get; init; }

    /// <summary>A higher number than before rotates the CA to a root that the cluster makes.</summary>
    public ulong ForceRotate { get; init; }

    /// <summary>Without the key.</summary>
    public override string ToString() => $"expiry {NodeCertExpiry}, rotation {ForceRotate}";
}

public sealed record SwarmExternalCa
{
    public string Protocol { get => field ?? ""; init; } = "";
    [JsonPropertyName("URL")] public string Url { get => field ?? ""; init; } = "";
    [JsonPropertyName("CACert")] public string? CaCert { get; init; }
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
