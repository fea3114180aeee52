using System.Text.Json.Serialization;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers.Files;

/// <summary>What is at a path of a container, as the header X-Docker-Container-Path-Stat tells it.</summary>
internal sealed record PathStat
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("size")] public required long Size { get; init; }

    /// <summary>As Go's os.FileMode: permission bits, and what it is in the high bits.</summary>
    [JsonPropertyName("mode")] public required uint Mode { get; init; }

    [JsonPropertyName("mtime")] public required DateTimeOffset Modified { get; init; }

    /// <summary>Where a symbolic link leads after all links on the way; empty for anything else.</summary>
    [JsonPropertyName("linkTarget")] public required string LinkTarget { get; init; }

    internal static PathStat Of(string name, FileStatus status, string linkTarget) => new()
    {
        Name = name,
        Size = status.Size,
        Mode = GoMode(status),
        Modified = DateTimeOffset.FromUnixTimeSeconds(status.ModifiedSeconds).AddTicks(status.ModifiedNanoseconds / 100),
        LinkTarget = linkTarget,
    };

    private static uint GoMode(FileStatus status) =>
        (status.Permissions & 0x1ff)
        | ((status.Permissions & 0x800) != 0 ? 1u << 23 : 0)
        | ((status.Permissions & 0x400) != 0 ? 1u << 22 : 0)
        | ((status.Permissions & 0x200) != 0 ? 1u << 20 : 0)
        | status.Kind switch
        {
            FileKind.Directory => 1u << 31,
            FileKind.Symlink => 1u << 27,
            FileKind.Block => 1u << 26,
            FileKind.Character => (1u << 26) | (1u << 21),
            FileKind.Fifo => 1u << 25,
            FileKind.Socket => 1u << 24,
            _ => 0,
        };
}

[JsonSerializable(typeof(PathStat))]
internal sealed partial class PathStatJson : JsonSerializerContext;
