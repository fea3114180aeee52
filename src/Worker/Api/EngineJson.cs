using System.Text.Json.Serialization;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Api;

/// <summary>Answers that only the engine gives; empty lists are written, as Docker writes them here.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(Volume))]
[JsonSerializable(typeof(VolumeListAnswer))]
[JsonSerializable(typeof(VolumePruneAnswer))]
[JsonSerializable(typeof(IReadOnlyList<FilesystemChange>))]
[JsonSerializable(typeof(ImagePruneReply))]
[JsonSerializable(typeof(BuildPruneReply))]
[JsonSerializable(typeof(ContainerPruneReply))]
[JsonSerializable(typeof(DistributionReply))]
[JsonSerializable(typeof(DiskUsageReply))]
[JsonSerializable(typeof(Dictionary<string, string?>))]
[JsonSerializable(typeof(List<string>))]
internal sealed partial class EngineJson : JsonSerializerContext;

/// <summary>Answer of <c>GET /volumes</c>.</summary>
internal sealed record VolumeListAnswer(IReadOnlyList<Volume> Volumes, IReadOnlyList<string> Warnings);

/// <summary>Answer of <c>POST /volumes/prune</c>.</summary>
internal sealed record VolumePruneAnswer(IReadOnlyList<string> VolumesDeleted, long SpaceReclaimed);

/// <summary>Answer of <c>POST /images/prune</c>.</summary>
internal sealed record ImagePruneReply(IReadOnlyList<ImageDeleteItem> ImagesDeleted, long SpaceReclaimed);

/// <summary>Answer of <c>POST /build/prune</c>.</summary>
internal sealed record BuildPruneReply(IReadOnlyList<string> CachesDeleted, long SpaceReclaimed);

/// <summary>Answer of <c>POST /containers/prune</c>.</summary>
internal sealed record ContainerPruneReply(IReadOnlyList<string> ContainersDeleted, long SpaceReclaimed);

/// <summary>Answer of <c>GET /distribution/{name}/json</c>.</summary>
internal sealed record DistributionReply(DescriptorReply Descriptor, IReadOnlyList<PlatformReply> Platforms);

/// <summary>An OCI content descriptor.</summary>
internal sealed record DescriptorReply(
    [property: JsonPropertyName("mediaType")] string MediaType,
    [property: JsonPropertyName("digest")] string Digest,
    [property: JsonPropertyName("size")] long Size);

/// <summary>An OCI platform.</summary>
internal sealed record PlatformReply(
    [property: JsonPropertyName("architecture")] string Architecture,
    [property: JsonPropertyName("os")] string Os,
    [property: JsonPropertyName("variant")] string? Variant);

/// <summary>Answer of <c>GET /system/df</c>.</summary>
internal sealed record DiskUsageReply(
    long LayersSize,
    IReadOnlyList<ImageSummary> Images,
    IReadOnlyList<ContainerSummary> Containers,
    IReadOnlyList<Volume> Volumes,
    IReadOnlyList<BuildCacheRow> BuildCache);

/// <summary>A step that a build made and the next build may take.</summary>
internal sealed record BuildCacheRow(
    [property: JsonPropertyName("ID")] string Id, string Type, string Description, bool InUse, bool Shared, long Size, DateTimeOffset CreatedAt,
    DateTimeOffset LastUsedAt, int UsageCount);
