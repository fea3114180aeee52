using System.Collections.Immutable;

namespace Orchestrator.Worker.Lab;

/// <summary>A host of a lab as it is to be made.</summary>
internal sealed record LabHostSpec
{
    /// <summary>What <c>ps</c> shows for the process that holds the host's namespaces.</summary>
    public required string Title { get; init; }

    public required string Hostname { get; init; }

    /// <summary>What the machine has mounted at or below places that are the host's own; the last mounted first.</summary>
    public ImmutableArray<string> Hidden { get; init; } = [];

    /// <summary>The cgroup file systems, each on the machine's own mount point.</summary>
    public ImmutableArray<CgroupMount> Cgroups { get; init; } = [];

    /// <summary>Files and directories of the machine that stand in other places, which must exist.</summary>
    public ImmutableArray<(string Source, string Target)> Binds { get; init; } = [];

    /// <summary>The host's own group in each v1 hierarchy: its directory names the descriptor of its <c>tasks</c>.</summary>
    public ImmutableArray<string> Groups { get; init; } = [];

    /// <summary>The group below it for what is no container, in every hierarchy.</summary>
    public ImmutableArray<string> SystemGroups { get; init; } = [];
}

/// <param name="Point">Where.</param>
/// <param name="Controllers">Of a v1 hierarchy; none: the v2 hierarchy.</param>
internal sealed record CgroupMount(string Point, ImmutableArray<string> Controllers);
