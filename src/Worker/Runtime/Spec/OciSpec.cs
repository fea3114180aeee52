using System.Collections.Immutable;

namespace Orchestrator.Worker.Runtime.Spec;

/// <summary>An OCI runtime specification (config.json, opencontainers/runtime-spec 1.2): what one container is made of.</summary>
internal sealed record OciSpec
{
    public string OciVersion { get; init => field = value ?? "1.2.0"; } = "1.2.0";
    public OciProcess Process { get; init => field = value ?? new(); } = new();

    /// <summary>Only <see cref="OciRoot.Readonly"/> is obeyed; where the root lies is the launch request's business.</summary>
    public OciRoot? Root { get; init; }

    public string? Hostname { get; init; }
    public string? Domainname { get; init; }
    public ImmutableArray<OciMount> Mounts { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableDictionary<string, string> Annotations { get; init => field = value ?? ImmutableDictionary<string, string>.Empty; } = ImmutableDictionary<string, string>.Empty;
    public OciLinux Linux { get; init => field = value ?? new(); } = new();
}

internal sealed record OciRoot
{
    public string Path { get; init => field = value ?? ""; } = "";
    public bool Readonly { get; init; }
}

/// <summary>One mount, made in list order. Options are mount(8) words (<c>ro</c>, <c>rbind</c>, <c>rprivate</c>, <c>size=64m</c>).</summary>
internal sealed record OciMount
{
    public required string Destination { get; init; }
    public string? Source { get; init; }
    public string? Type { get; init; }
    public ImmutableArray<string> Options { get; init => field = value.IsDefault ? [] : value; } = [];
}
