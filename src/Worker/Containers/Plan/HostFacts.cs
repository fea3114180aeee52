using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>What a plan must know of the machine it is made for.</summary>
internal sealed record HostFacts
{
    public required int Cpus { get; init; }

    /// <summary>The machine's own name, for containers on the host's network.</summary>
    public required string Hostname { get; init; }

    /// <summary>Which limits the host can hold.</summary>
    public LimitFacts Limits { get; init; } = LimitFacts.Everything;

    /// <summary>The cgroup below which the containers' stand.</summary>
    public required string CgroupParent { get; init; }

    /// <summary>The default system call filter for a set of capabilities.</summary>
    public required Func<ImmutableArray<string>, OciSeccomp?> DefaultSeccomp { get; init; }
}
