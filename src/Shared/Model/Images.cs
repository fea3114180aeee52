using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>A row of <c>GET /images/json</c>.</summary>
public sealed record ImageSummary
{
    public required string Id { get; init; }
    public string ParentId { get => field ?? ""; init; } = "";
    public IReadOnlyList<string> RepoTags { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> RepoDigests { get; init => field = value ?? []; } = [];
    /// <summary>Unix seconds.</summary>
    public long Created { get; init; }
    /// <summary>Bytes.</summary>
    public long Size { get; init; }
    public long SharedSize { get; init; } = -1;
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    /// <summary>Containers that use it; -1 when not counted.</summary>
    public long Containers { get; init; } = -1;
}

/// <summary>Answer of <c>GET /images/{name}/json</c>.</summary>
public sealed record ImageInspect
{
    public required string Id { get; init; }
    public IReadOnlyList<string> RepoTags { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> RepoDigests { get; init => field = value ?? []; } = [];
    public string Parent { get => field ?? ""; init; } = "";
    public string Comment { get => field ?? ""; init; } = "";
    public DateTimeOffset? Created { get; init; }
    public string DockerVersion { get => field ?? ""; init; } = "";
    public string Author { get => field ?? ""; init; } = "";
    public ContainerConfig Config { get => field ?? new(); init; } = new();
    public string Architecture { get => field ?? ""; init; } = "";
    [JsonPropertyName("Os")] public string Os { get => field ?? ""; init; } = "";
    public long Size { get; init; }
    [JsonPropertyName("RootFS")] public ImageRootFs RootFs { get => field ?? new(); init; } = new();
    public ImageMetadata Metadata { get => field ?? new(); init; } = new();
}

public sealed record ImageRootFs
{
    public string Type { get => field ?? "layers"; init; } = "layers";
    public IReadOnlyList<string> Layers { get; init => field = value ?? []; } = [];
}

public sealed record ImageMetadata
{
    public DateTimeOffset LastTagTime { get; init; }
}

/// <summary>One line of the answer of <c>DELETE /images/{name}</c>.</summary>
public sealed record ImageDeleteItem
{
    public string? Untagged { get; init; }
    public string? Deleted { get; init; }
}

/// <summary>One line of <c>GET /images/{name}/history</c>.</summary>
public sealed record ImageHistoryItem
{
    public string Id { get => field ?? "<missing>"; init; } = "<missing>";
    public long Created { get; init; }
    public string CreatedBy { get => field ?? ""; init; } = "";
    public IReadOnlyList<string> Tags { get; init => field = value ?? []; } = [];
    public long Size { get; init; }
    public string Comment { get => field ?? ""; init; } = "";
}
