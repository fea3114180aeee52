using System.Collections.Immutable;
using Orchestrator.Shared.Model;
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

    /// <summary>What rules of a seccomp profile are asked about.</summary>
    public Version Kernel { get; init; } = new(0, 0);

    /// <summary>The ids of containers, where they are not the host's.</summary>
    public UserRemap? Remap { get; init; }

    /// <summary>How containers log that do not say.</summary>
    public LogConfig DefaultLog { get; init; } = new() { Type = LogPlan.Driver };

    /// <summary>Limits of containers that do not set them.</summary>
    public IReadOnlyList<Ulimit> DefaultUlimits { get; init; } = [];

    /// <summary>The ids of a container with these modes; null: the host's.</summary>
    internal UserRemap? RemapOf(NamespaceModes modes) => modes.User == NamespaceModes.Host ? null : Remap;
}
