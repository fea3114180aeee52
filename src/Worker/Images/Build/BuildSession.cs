using System.Collections.Immutable;
using Orchestrator.Worker.Images.Content;
using Orchestrator.Worker.Images.Unpack;

namespace Orchestrator.Worker.Images.Build;

/// <summary>What all stages of one build share.</summary>
internal sealed class BuildSession
{
    private int _step;

    public required ImageContent Content { get; init; }
    public required BuildCache Cache { get; init; }
    public required IBuildRunner Runner { get; init; }
    public required IProgress<ProgressMessage> Progress { get; init; }
    public required BuildRequest Request { get; init; }
    public required Pins.Scope Scope { get; init; }
    public required LayeredView Context { get; init; }
    public required DockerIgnore Ignore { get; init; }
    public required char Escape { get; init; }
    public required int TotalSteps { get; init; }

    /// <summary>Finds an image of this host by name or id.</summary>
    public required Func<string, StoredImage?> FindImage { get; init; }

    /// <summary>ARGs before the first FROM.</summary>
    public Dictionary<string, string?> Globals { get; } = new(StringComparer.Ordinal);

    /// <summary>Build arguments that some ARG asked for.</summary>
    public HashSet<string> Consumed { get; } = new(StringComparer.Ordinal);

    /// <summary>Finished stages by index.</summary>
    public List<(Stage Stage, StageState Result)> Finished { get; } = [];

    internal void Announce(Instruction instruction) => Say($"Step {++_step}/{TotalSteps} : {instruction.Text}\n");

    internal void Say(string text)
    {
        if (!Request.Quiet)
            Progress.Report(ProgressMessage.Text(text));
    }

    /// <summary>A finished stage by name or number; null when there is none.</summary>
    internal StageState? StageNamed(string name)
    {
        var found = Finished.FirstOrDefault(f => name.Equals(f.Stage.Name, StringComparison.OrdinalIgnoreCase)
            || name == f.Stage.Index.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return found.Result;
    }

    internal LayeredView View(IEnumerable<BuiltLayer> layers) => new([.. layers.Reverse().Select(l => Content.Layers.DiffOf(l.DiffId))]);
}

/// <summary>A layer of an image being built.</summary>
internal readonly record struct BuiltLayer(Descriptor Blob, string DiffId);

/// <summary>An image being built, after some step.</summary>
internal sealed record StageState
{
    public ImageConfig Config { get; init; } = new();
    public ImmutableArray<BuiltLayer> Layers { get; init; } = [];
    public ImmutableArray<ImageHistoryEntry> History { get; init; } = [];
    public DateTimeOffset? Created { get; init; }
    public string? Author { get; init; }
    public string Architecture { get; init; } = "";
    public string? Variant { get; init; }
    public string Os { get; init; } = "linux";

    /// <summary>The cache key of everything up to here.</summary>
    public required string Key { get; init; }

    internal ImageDocument ToDocument() => new()
    {
        Created = Created,
        Author = Author,
        Architecture = Architecture,
        Variant = Variant,
        Os = Os,
        Config = Config,
        Rootfs = new() { DiffIds = [.. Layers.Select(l => l.DiffId)] },
        History = History,
    };
}
