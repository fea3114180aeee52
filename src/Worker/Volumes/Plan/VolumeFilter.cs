namespace Orchestrator.Worker.Volumes.Plan;

/// <summary>Which volumes a listing shows.</summary>
internal sealed record VolumeFilter
{
    /// <summary>True: used by no container; false: used by one.</summary>
    public bool? Dangling { get; init; }

    public IReadOnlyList<string> Names { get; init; } = [];
    public IReadOnlyList<string> Drivers { get; init; } = [];

    /// <summary>Each <c>KEY</c> or <c>KEY=VALUE</c>; all must hold.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>None of them may hold.</summary>
    public IReadOnlyList<string> NotLabels { get; init; } = [];

    internal bool Fits(VolumeView volume) =>
        (Dangling is not { } dangling || dangling == (volume.Users.Count == 0))
        && (Names.Count == 0 || Names.Any(n => volume.Volume.Name.Contains(n, StringComparison.Ordinal)))
        && (Drivers.Count == 0 || Drivers.Contains(VolumeRequestPlan.Driver))
        && Labels.All(l => HasLabel(volume.Volume.Labels, l))
        && !NotLabels.Any(l => HasLabel(volume.Volume.Labels, l));

    private static bool HasLabel(IReadOnlyDictionary<string, string> labels, string wanted)
    {
        var at = wanted.IndexOf('=', StringComparison.Ordinal);
        return at < 0 ? labels.ContainsKey(wanted) : labels.TryGetValue(wanted[..at], out var value) && value == wanted[(at + 1)..];
    }
}
