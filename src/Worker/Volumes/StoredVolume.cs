using System.Text.Json.Serialization;

namespace Orchestrator.Worker.Volumes;

/// <summary>What a volume is, written once when it is made (<c>volume.json</c>).</summary>
internal sealed record StoredVolume
{
    public required string Name { get; init; }
    public required DateTimeOffset Created { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Of the local driver: <c>type</c>, <c>device</c> and <c>o</c>.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();
}

[JsonSerializable(typeof(StoredVolume))]
internal sealed partial class VolumeJson : JsonSerializerContext;

/// <summary>A volume at one moment.</summary>
/// <param name="Volume">What it is.</param>
/// <param name="Mountpoint">Its directory on the host.</param>
/// <param name="Users">Ids of the containers that use it, whether they run or not.</param>
internal sealed record VolumeView(StoredVolume Volume, string Mountpoint, IReadOnlyList<string> Users)
{
    internal bool IsAnonymous => Volume.Labels.ContainsKey(VolumeStore.AnonymousLabel);
}

/// <summary>Something happened to a volume: <c>create</c>, <c>mount</c>, <c>unmount</c> or <c>destroy</c>.</summary>
internal sealed record VolumeEvent(string Action, string Name, IReadOnlyDictionary<string, string> Attributes);
