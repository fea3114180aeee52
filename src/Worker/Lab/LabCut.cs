using System.Collections.Immutable;

namespace Orchestrator.Worker.Lab;

/// <summary>A host that reaches nobody, or that does not reach one other; both directions.</summary>
internal sealed record LabCut(string Host, string? From)
{
    internal bool Names(string host) => Host == host || From == host;

    /// <summary>The same cut is one cut, whichever of the two is named first.</summary>
    internal LabCut Ordered() => From is not null && string.CompareOrdinal(Host, From) > 0 ? new LabCut(From, Host) : this;
}

/// <summary>Frames that the switch drops: by the port they come in at, the one they would go out at, or both.</summary>
internal sealed record DroppedFrames(string? Input, string? Output);

/// <summary>What the switch does about cuts.</summary>
internal static class LabCutPlan
{
    internal static ImmutableArray<LabCut> Add(IEnumerable<LabCut> cuts, LabCut more) => [.. cuts.Append(more.Ordered()).Distinct()];

    /// <summary>Without those that name the host; all when none is named.</summary>
    internal static ImmutableArray<LabCut> Heal(IEnumerable<LabCut> cuts, string? host) => host is null ? [] : [.. cuts.Where(c => !c.Names(host))];

    internal static ImmutableArray<DroppedFrames> Drops(IEnumerable<LabCut> cuts) =>
    [
        .. cuts.SelectMany(cut => cut.From is { } other
            ? (DroppedFrames[])[new(cut.Host, other), new(other, cut.Host)]
            : [new(cut.Host, null), new(null, cut.Host)]),
    ];
}
