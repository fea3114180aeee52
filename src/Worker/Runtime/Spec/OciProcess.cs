using System.Collections.Immutable;

namespace Orchestrator.Worker.Runtime.Spec;

/// <summary>The container's first process.</summary>
internal sealed record OciProcess
{
    public bool Terminal { get; init; }
    public OciUser User { get; init => field = value ?? new(); } = new();
    public ImmutableArray<string> Args { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<string> Env { get; init => field = value.IsDefault ? [] : value; } = [];
    public string Cwd { get; init => field = value ?? "/"; } = "/";

    /// <summary>Absent: the process keeps no capability at all.</summary>
    public OciCapabilities? Capabilities { get; init; }

    public ImmutableArray<OciRlimit> Rlimits { get; init => field = value.IsDefault ? [] : value; } = [];
    public bool NoNewPrivileges { get; init; }
    public int? OomScoreAdj { get; init; }
}

/// <summary>Numeric ids inside the container; names are resolved before a spec is written.</summary>
internal sealed record OciUser
{
    public uint Uid { get; init; }
    public uint Gid { get; init; }
    public uint? Umask { get; init; }
    public ImmutableArray<uint> AdditionalGids { get; init => field = value.IsDefault ? [] : value; } = [];
}

/// <summary>Capability sets by name, <c>CAP_CHOWN</c> style.</summary>
internal sealed record OciCapabilities
{
    public ImmutableArray<string> Bounding { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<string> Effective { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<string> Permitted { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<string> Inheritable { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<string> Ambient { get; init => field = value.IsDefault ? [] : value; } = [];
}

/// <summary>One limit of setrlimit(2); <see cref="Type"/> is <c>RLIMIT_NOFILE</c> style, <see cref="ulong.MaxValue"/> is unlimited.</summary>
internal sealed record OciRlimit
{
    public required string Type { get; init; }
    public ulong Soft { get; init; }
    public ulong Hard { get; init; }
}
