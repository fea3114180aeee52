using Orchestrator.Cli.Compose.Syntax;

namespace Orchestrator.Cli.Compose;

/// <summary>One entry of the top-level <c>volumes</c>. Nodes make volumes when a task first needs them, so this goes into the services' mounts.</summary>
internal sealed record ComposeVolume
{
    public required string Key { get; init; }
    public required Place At { get; init; }

    /// <summary>The name as given, which the stack's name does not scope.</summary>
    public string? Name { get; init; }

    /// <summary>Not the stack's: it gets no labels and keeps its options.</summary>
    public bool External { get; init; }

    public string? Driver { get; init; }
    public IReadOnlyDictionary<string, string> DriverOpts { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}
