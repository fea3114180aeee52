using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Plan;

namespace Orchestrator.Worker;

/// <summary>What the worker half of a daemon is made from.</summary>
internal sealed record WorkerHostOptions
{
    /// <summary>State that outlives the machine's boot: <c>/var/lib/orch</c>.</summary>
    public required string DataRoot { get; init; }

    /// <summary>State of this boot: <c>/run/orch</c>.</summary>
    public required string ExecRoot { get; init; }

    /// <summary>The cgroup below which the containers' stand; null: <c>/orch-INSTANCE</c>.</summary>
    public string? CgroupParent { get; init; }

    /// <summary>The command that runs this binary's shim: program and leading arguments, before the shim's own.</summary>
    public required IReadOnlyList<string> ShimCommand { get; init; }

    /// <summary>The network namespace that plays the host; null: the daemon's own. The shim must have been started in it.</summary>
    public string? HostNetnsPath { get; init; }

    /// <summary>What the node says of itself to the cluster.</summary>
    public required string EngineVersion { get; init; }

    /// <summary>The engine's labels, for placement by <c>engine.labels</c>.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Puts something between containers and what they stand on: tests stop a host at a step there.</summary>
    internal Func<ContainerServices, ContainerServices> Wrap { get; init; } = services => services;

    /// <summary>The ids of containers (<c>--userns-remap</c>); null: the host's.</summary>
    public UserRemap? Remap { get; init; }

    /// <summary>How containers log that do not say.</summary>
    public LogConfig DefaultLog { get; init; } = new() { Type = LogPlan.Driver };

    /// <summary>Limits of containers that do not set them.</summary>
    public IReadOnlyList<Ulimit> DefaultUlimits { get; init; } = [];

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
