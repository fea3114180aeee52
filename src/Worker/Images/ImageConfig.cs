using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Orchestrator.Worker.Images;

/// <summary>The config blob of an image (OCI image-spec config.md); its digest is the image's id.</summary>
internal sealed record ImageDocument
{
    [JsonPropertyName("created")] public DateTimeOffset? Created { get; init; }
    [JsonPropertyName("author")] public string? Author { get; init; }
    [JsonPropertyName("architecture")] public string Architecture { get; init; } = "";
    [JsonPropertyName("variant")] public string? Variant { get; init; }
    [JsonPropertyName("os")] public string Os { get; init; } = "";
    [JsonPropertyName("comment")] public string? Comment { get; init; }
    [JsonPropertyName("config")] public ImageConfig? Config { get; init; }
    [JsonPropertyName("rootfs")] public ImageRootfs Rootfs { get; init; } = new();
    [JsonPropertyName("history")] public ImmutableArray<ImageHistoryEntry>? History { get; init; }
}

/// <summary>What a container of the image starts with; the Engine API shows it as <c>Config</c> under the same names.</summary>
internal sealed record ImageConfig
{
    public string? User { get; init; }
    public ImmutableSortedDictionary<string, EmptyObject>? ExposedPorts { get; init; }
    public ImmutableArray<string>? Env { get; init; }
    public ImmutableArray<string>? Entrypoint { get; init; }
    public ImmutableArray<string>? Cmd { get; init; }
    public ImageHealthcheck? Healthcheck { get; init; }
    public ImmutableSortedDictionary<string, EmptyObject>? Volumes { get; init; }
    public string? WorkingDir { get; init; }
    public ImmutableSortedDictionary<string, string>? Labels { get; init; }
    public string? StopSignal { get; init; }
    public ImmutableArray<string>? Shell { get; init; }
    public ImmutableArray<string>? OnBuild { get; init; }
    public bool? ArgsEscaped { get; init; }
}

/// <summary>A health check as the image carries it; durations are nanoseconds.</summary>
internal sealed record ImageHealthcheck
{
    public ImmutableArray<string>? Test { get; init; }
    public long? Interval { get; init; }
    public long? Timeout { get; init; }
    public long? StartPeriod { get; init; }
    public long? StartInterval { get; init; }
    public int? Retries { get; init; }
}

/// <summary>The value of a set written as a JSON object, as Go's <c>map[string]struct{}</c>.</summary>
internal sealed record EmptyObject
{
    internal static EmptyObject Value { get; } = new();
}

/// <summary>The uncompressed digests of an image's layers, bottom first.</summary>
internal sealed record ImageRootfs
{
    [JsonPropertyName("type")] public string Type { get; init; } = "layers";
    [JsonPropertyName("diff_ids")] public ImmutableArray<string> DiffIds { get; init; } = [];
}

/// <summary>One step of an image's making, oldest first.</summary>
internal sealed record ImageHistoryEntry
{
    [JsonPropertyName("created")] public DateTimeOffset? Created { get; init; }
    [JsonPropertyName("created_by")] public string? CreatedBy { get; init; }
    [JsonPropertyName("author")] public string? Author { get; init; }
    [JsonPropertyName("comment")] public string? Comment { get; init; }
    [JsonPropertyName("empty_layer")] public bool? EmptyLayer { get; init; }
}
