using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Orchestrator.Worker.Images.Content;

/// <summary>Media types of image-spec and of Docker's earlier scheme.</summary>
internal static class MediaTypes
{
    internal const string Index = "application/vnd.oci.image.index.v1+json";
    internal const string Manifest = "application/vnd.oci.image.manifest.v1+json";
    internal const string Config = "application/vnd.oci.image.config.v1+json";
    internal const string Layer = "application/vnd.oci.image.layer.v1.tar";
    internal const string LayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
    internal const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
    internal const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
}

/// <summary>Annotation keys.</summary>
internal static class Annotations
{
    internal const string RefName = "org.opencontainers.image.ref.name";
    internal const string ContainerdName = "io.containerd.image.name";
}

/// <summary>image-spec descriptor.md.</summary>
internal sealed record Descriptor
{
    [JsonPropertyName("mediaType")] public string MediaType { get; init; } = "";
    [JsonPropertyName("digest")] public string Digest { get; init; } = "";
    [JsonPropertyName("size")] public long Size { get; init; }
    [JsonPropertyName("annotations")] public ImmutableSortedDictionary<string, string>? Annotations { get; init; }
    [JsonPropertyName("platform")] public OciPlatform? Platform { get; init; }
}

/// <summary>The platform of a manifest in an index.</summary>
internal sealed record OciPlatform
{
    [JsonPropertyName("architecture")] public string Architecture { get; init; } = "";
    [JsonPropertyName("os")] public string Os { get; init; } = "";
}

/// <summary>image-spec image-index.md.</summary>
internal sealed record OciIndex
{
    [JsonPropertyName("schemaVersion")] public int SchemaVersion { get; init; } = 2;
    [JsonPropertyName("mediaType")] public string? MediaType { get; init; }
    [JsonPropertyName("manifests")] public ImmutableArray<Descriptor> Manifests { get; init; } = [];
}

/// <summary>image-spec manifest.md.</summary>
internal sealed record OciManifest
{
    [JsonPropertyName("schemaVersion")] public int SchemaVersion { get; init; } = 2;
    [JsonPropertyName("mediaType")] public string? MediaType { get; init; }
    [JsonPropertyName("config")] public Descriptor Config { get; init; } = new();
    [JsonPropertyName("layers")] public ImmutableArray<Descriptor> Layers { get; init; } = [];
}

/// <summary>One image in the <c>manifest.json</c> of a docker-archive.</summary>
internal sealed record DockerArchiveImage
{
    public string Config { get; init; } = "";
    public ImmutableArray<string>? RepoTags { get; init; }
    public ImmutableArray<string> Layers { get; init; } = [];
}

/// <summary>JSON of the documents in archives and in the content store.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OciIndex))]
[JsonSerializable(typeof(OciManifest))]
[JsonSerializable(typeof(ImmutableArray<DockerArchiveImage>))]
internal sealed partial class OciContentJson : JsonSerializerContext;
