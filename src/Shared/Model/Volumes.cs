namespace Orchestrator.Shared.Model;

/// <summary>A volume of a host.</summary>
public sealed record Volume
{
    public required string Name { get; init; }
    public string Driver { get => field ?? "local"; init; } = "local";
    public string Mountpoint { get => field ?? ""; init; } = "";
    public DateTimeOffset CreatedAt { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public IReadOnlyDictionary<string, string> Options { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public string Scope { get => field ?? "local"; init; } = "local";
    /// <summary>Only in <c>system df</c>.</summary>
    public VolumeUsage? UsageData { get; init; }
}

/// <param name="Size">Bytes; -1: not counted.</param>
/// <param name="RefCount">Containers that use it; -1: not counted.</param>
public sealed record VolumeUsage(long Size, long RefCount);

/// <summary>Body of <c>POST /volumes/create</c>.</summary>
public sealed record VolumeCreateRequest
{
    /// <summary>Empty: one is invented, and the volume counts as anonymous.</summary>
    public string Name { get => field ?? ""; init; } = "";
    public string Driver { get => field ?? ""; init; } = "";
    /// <summary>Of the local driver: <c>type</c>, <c>device</c> and <c>o</c>, as in mount(8), and <c>size</c>.</summary>
    public IReadOnlyDictionary<string, string> DriverOpts { get; init => field = value ?? Empty.Map; } = Empty.Map;
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
}

public sealed record VolumeListReply
{
    public IReadOnlyList<Volume> Volumes { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> Warnings { get; init => field = value ?? []; } = [];
}

public sealed record VolumePruneReply
{
    public IReadOnlyList<string> VolumesDeleted { get; init => field = value ?? []; } = [];
    public long SpaceReclaimed { get; init; }
}
