using System.Text.Json.Serialization;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers;

/// <summary>What a container is: written once at its creation, rewritten when it is renamed (<c>config.json</c>).</summary>
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
}

/// <summary>How a container fares (<c>state.json</c>). Of what runs now the runtime knows more and is believed.</summary>
internal sealed record StoredState
{
    public ContainerStatus Status { get; init; }
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
