using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Seccomp;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>What must be known of a running container to act on it later, and what the kernel does not tell: who takes it over needs it too.</summary>
internal sealed record Traits
{
    /// <summary>Its process has a terminal.</summary>
    public bool Terminal { get; init; }

    public bool OpenStdin { get; init; }
    public bool StdinOnce { get; init; }

    /// <summary>Its system call filter, which every exec gets too; containers with the same one share it.</summary>
    public SeccompFilter? Filter { get; init; }

    /// <summary>Of its user namespace; empty: its ids are the host's.</summary>
    public ImmutableArray<OciIdMapping> UserIds { get; init => field = value.IsDefault ? [] : value; } = [];

    public ImmutableArray<OciIdMapping> GroupIds { get; init => field = value.IsDefault ? [] : value; } = [];

    internal static Traits Of(LaunchRequest request, SeccompFilter? filter) => new()
    {
        Terminal = request.Spec.Process.Terminal,
        OpenStdin = request.OpenStdin,
        StdinOnce = request.StdinOnce,
        Filter = filter,
        UserIds = request.Spec.Linux.UidMappings,
        GroupIds = request.Spec.Linux.GidMappings,
    };
}
