using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Cgroups;

namespace Orchestrator.Worker.Runtime.Plan;

internal enum PathKind
{
    Missing,
    File,
    Directory,
}

/// <summary>What plans need to know about the host and about the launching process; read once.</summary>
internal sealed record HostFacts
{
    public required Version Kernel { get; init; }
    public required CgroupLayout Cgroups { get; init; }

    /// <summary>Bit masks by capability number.</summary>
    public required ulong Bounding { get; init; }

    public required ulong Permitted { get; init; }

    /// <summary>All that the kernel knows: who enters a user namespace has every one of them there.</summary>
    public ulong Known { get; init; } = (1UL << 41) - 1;

    /// <summary>Hard limits by setrlimit(2) number.</summary>
    public required ImmutableArray<ulong> HardLimits { get; init; }

    public required int OomScoreAdj { get; init; }

    internal bool Has(int capability) => ((Permitted >> capability) & 1) != 0;
}
