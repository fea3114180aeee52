using System.Collections.Frozen;
using System.Text.Json.Serialization;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Plan;

namespace Orchestrator.Worker.Containers;

/// <summary>What a container is: written once at its creation, rewritten when it is renamed or given other limits (<c>config.json</c>).</summary>
internal sealed record StoredContainer
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public required DateTimeOffset Created { get; init; }

    /// <summary>The image's config digest, <c>sha256:…</c>.</summary>
    public required string ImageId { get; init; }

    /// <summary>Merged with the image's.</summary>
    public required ContainerConfig Config { get; init; }

    public required HostConfig HostConfig { get; init; }
    public NetworkingConfig? Networking { get; init; }

    /// <summary>The ids it was made with, and keeps: what it wrote bears them. Null: the host's.</summary>
    public UserRemap? Remap { get; init; }

    /// <summary>Where the container sees secrets and configs; their bytes are never stored.</summary>
    public IReadOnlyList<string>? MemoryFiles { get; init; }

    /// <summary>Volumes, and what it took over from other containers: mounts whose source the request alone does not tell.</summary>
    public IReadOnlyList<StoredMount> Volumes { get => field ?? []; init; } = [];
}

/// <summary>A volume in a container, or a mount that another container lent it.</summary>
internal sealed record StoredMount
{
    /// <summary><c>volume</c> or <c>bind</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The volume's; empty for a bind.</summary>
    public string Name { get => field ?? ""; init; } = "";

    /// <summary>On the host.</summary>
    public required string Source { get; init; }

    public required string Destination { get; init; }

    /// <summary>The part of the volume that is seen; null: all of it.</summary>
    public string? Subpath { get; init; }

    /// <summary>As the user wrote it.</summary>
    public string Mode { get => field ?? ""; init; } = "";

    public string Propagation { get => field ?? ""; init; } = "";
    public bool ReadOnly { get; init; }

    /// <summary>What the image has there is not copied into the volume.</summary>
    public bool NoCopy { get; init; }

    /// <summary>Nobody gave it a name: it goes with its last container, when that is asked for.</summary>
    public bool Anonymous { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get => field ?? FrozenDictionary<string, string>.Empty; init; } = FrozenDictionary<string, string>.Empty;
    public IReadOnlyDictionary<string, string> Options { get => field ?? FrozenDictionary<string, string>.Empty; init; } = FrozenDictionary<string, string>.Empty;
}

/// <summary>How a container fares (<c>state.json</c>). Of what runs now the runtime knows more and is believed.</summary>
internal sealed record StoredState
{
    public ContainerStatus Status { get; init; }

    /// <summary>It runs, and its processes stand still.</summary>
    public bool Paused { get; init; }

    public int Pid { get; init; }
    public int ExitCode { get; init; }
    public string Error { get; init; } = "";
    public bool OomKilled { get; init; }

    /// <summary>Nobody saw the exit: the code is 255 and a guess.</summary>
    public bool ExitUnknown { get; init; }

    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The last end was a user's order.</summary>
    public bool StoppedByUser { get; init; }

    public int RestartCount { get; init; }

    /// <summary>It is being removed, its anonymous volumes with it.</summary>
    public bool RemoveVolumes { get; init; }

    /// <summary>What its health check found; null: it has none, or was never started.</summary>
    public ContainerHealth? Health { get; init; }

    /// <summary>By network id.</summary>
    public IReadOnlyList<StoredEndpoint> Endpoints { get; init; } = [];

    public IReadOnlyList<StoredPort> Ports { get; init; } = [];
}

/// <summary>An interface that the container had or has.</summary>
internal sealed record StoredEndpoint(string NetworkId, string NetworkName, string Address, int PrefixLength, string Gateway, string Mac);

/// <summary>A port that was published for the container.</summary>
internal sealed record StoredPort(string Protocol, string? HostIp, int HostPort, int ContainerPort);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredContainer))]
[JsonSerializable(typeof(StoredState))]
internal sealed partial class ContainerJson : JsonSerializerContext;
