using Orchestrator.Cli.Compose.Syntax;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Compose;

/// <summary>A stack file as it was meant: forms made one, defaults of compose applied, names not yet scoped by the stack.</summary>
internal sealed record ComposeFile
{
    public string? Name { get; init; }
    public IReadOnlyList<ComposeService> Services { get; init; } = [];
    public IReadOnlyList<ComposeNetwork> Networks { get; init; } = [];
    public IReadOnlyList<ComposePayload> Secrets { get; init; } = [];
    public IReadOnlyList<ComposePayload> Configs { get; init; } = [];
    public IReadOnlyList<ComposeVolume> Volumes { get; init; } = [];

    /// <summary>The merged and interpolated text, for <c>stack config</c>.</summary>
    public required MappingNode Source { get; init; }
}

/// <summary>One entry of <c>services</c>. Where compose and the Engine API mean the same thing, the Engine's type stands here.</summary>
internal sealed record ComposeService
{
    public required string Name { get; init; }
    public required Place At { get; init; }
    public string? Image { get; init; }
    public ComposeBuild? Build { get; init; }

    /// <summary>Everything of the container that compose says; image, labels and environment are completed on conversion.</summary>
    public ContainerSpec Container { get; init; } = new();
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> ServiceLabels { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<PortConfig> Ports { get; init; } = [];
    public IReadOnlyList<ComposeAttachment> Networks { get; init; } = [];
    public IReadOnlyList<ComposeReference> Secrets { get; init; } = [];
    public IReadOnlyList<ComposeReference> Configs { get; init; } = [];
    public ServiceMode Mode { get; init; } = new();
    public ResourceRequirements? Resources { get; init; }
    public RestartPolicy? RestartPolicy { get; init; }
    public Placement? Placement { get; init; }
    public UpdateConfig? UpdateConfig { get; init; }
    public UpdateConfig? RollbackConfig { get; init; }
    public string? EndpointMode { get; init; }
    public LogDriver? Logging { get; init; }
    public IReadOnlyList<ComposeDependency> DependsOn { get; init; } = [];
}

/// <summary>One entry of <c>depends_on</c>: the other service by its key in the file.</summary>
internal sealed record ComposeDependency(string Service, Place At, DependencyCondition Condition, bool Restart, bool Required);

/// <summary>How a service's image is made; the context is an absolute folder.</summary>
internal sealed record ComposeBuild
{
    public required string Context { get; init; }
    public required Place At { get; init; }
    public string? Dockerfile { get; init; }
    public IReadOnlyDictionary<string, string> Args { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<string> Tags { get; init; } = [];
    public string? Target { get; init; }
    public bool NoCache { get; init; }
}

internal sealed record ComposeAttachment(string Network, Place At, IReadOnlyList<string> Aliases, IReadOnlyDictionary<string, string> DriverOpts);

internal sealed record ComposeNetwork
{
    public required string Key { get; init; }
    public required Place At { get; init; }

    /// <summary>The name as given, which the stack's name does not scope.</summary>
    public string? Name { get; init; }
    public bool External { get; init; }
    public string? Driver { get; init; }
    public IReadOnlyDictionary<string, string> DriverOpts { get; init; } = new Dictionary<string, string>();
    public Ipam? Ipam { get; init; }
    public bool Internal { get; init; }
    public bool Attachable { get; init; }
    public bool? EnableIpv4 { get; init; }
    public bool? EnableIpv6 { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}

/// <summary>One entry of the top-level <c>secrets</c> or <c>configs</c>.</summary>
internal sealed record ComposePayload
{
    public required string Key { get; init; }
    public required Place At { get; init; }

    /// <summary>The name as given, which the stack's name does not scope.</summary>
    public string? Name { get; init; }
    public bool External { get; init; }

    /// <summary>From its file, its variable or the stack file itself; null when it is external.</summary>
    public byte[]? Data { get; init; }
    public string? TemplateDriver { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public override string ToString() => Key;
}

/// <summary>A service's use of a secret or config, which stands in its container as <paramref name="File"/>.</summary>
internal sealed record ComposeReference(string Source, Place At, ReferenceFile File);
