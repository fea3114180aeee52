using System.Collections.Immutable;

namespace Orchestrator.Worker.Runtime.Spec;

/// <summary>The Linux part of a container: what it shares, may touch and may use.</summary>
internal sealed record OciLinux
{
    public ImmutableArray<OciNamespace> Namespaces { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>The ids of the user namespace that <see cref="Namespaces"/> names, as the host sees them.</summary>
    public ImmutableArray<OciIdMapping> UidMappings { get; init => field = value.IsDefault ? [] : value; } = [];

    public ImmutableArray<OciIdMapping> GidMappings { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<OciDevice> Devices { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Absolute path below the root of every cgroup hierarchy, <c>/orch-INSTANCE/ID</c>; its last part is the container's own.</summary>
    public string? CgroupsPath { get; init; }

    public OciResources Resources { get; init => field = value ?? new(); } = new();
    public OciSeccomp? Seccomp { get; init; }
    public ImmutableDictionary<string, string> Sysctl { get; init => field = value ?? ImmutableDictionary<string, string>.Empty; } = ImmutableDictionary<string, string>.Empty;
    public ImmutableArray<string> MaskedPaths { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<string> ReadonlyPaths { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary><c>private</c> (default), <c>slave</c>, <c>shared</c> or <c>unbindable</c>.</summary>
    public string? RootfsPropagation { get; init; }
}

/// <summary>A namespace of the container: a new one, or with <see cref="Path"/> the one that lies there.</summary>
internal sealed record OciNamespace
{
    /// <summary><c>pid</c>, <c>network</c>, <c>mount</c>, <c>ipc</c>, <c>uts</c>, <c>cgroup</c> or <c>user</c> (that one with a path always).</summary>
    public required string Type { get; init; }

    public string? Path { get; init; }
}

/// <summary>A range of ids: <see cref="Size"/> of them from <see cref="ContainerId"/> on are, on the host, those from <see cref="HostId"/> on.</summary>
internal sealed record OciIdMapping
{
    [System.Text.Json.Serialization.JsonPropertyName("containerID")]
    public uint ContainerId { get; init; }

    [System.Text.Json.Serialization.JsonPropertyName("hostID")]
    public uint HostId { get; init; }

    public uint Size { get; init; }
}

/// <summary>A device node made in the container's <c>/dev</c>.</summary>
internal sealed record OciDevice
{
    /// <summary><c>c</c>, <c>b</c>, <c>u</c> (as c) or <c>p</c> (FIFO).</summary>
    public required string Type { get; init; }

    public required string Path { get; init; }
    public long Major { get; init; }
    public long Minor { get; init; }

    /// <summary>Permission bits in decimal; 0666 (438) when absent.</summary>
    public uint? FileMode { get; init; }

    public uint? Uid { get; init; }
    public uint? Gid { get; init; }
}
