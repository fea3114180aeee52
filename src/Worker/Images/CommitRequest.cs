using System.Collections.Immutable;

namespace Orchestrator.Worker.Images;

/// <summary>An image made of another one and what was written over it.</summary>
internal sealed record CommitRequest
{
    /// <summary>The image below.</summary>
    public required string ImageId { get; init; }

    /// <summary>The overlay's upper directory.</summary>
    public required string Upper { get; init; }

    /// <summary>Paths, relative to it, that do not belong to the layer.</summary>
    public required Func<string, bool> Skip { get; init; }

    public required ImageConfig Config { get; init; }
    public required string ContainerId { get; init; }

    /// <summary>The name it gets; null: none.</summary>
    public string? Reference { get; init; }

    public string Comment { get; init; } = "";
    public string Author { get; init; } = "";

    /// <summary>Dockerfile instructions laid over the config.</summary>
    public ImmutableArray<string> Changes { get; init; } = [];
}
