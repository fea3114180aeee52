using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime;

/// <summary>Everything the runtime needs to make one container run.</summary>
internal sealed record LaunchRequest
{
    public required string Id { get; init; }
    public required OciSpec Spec { get; init; }
    public required OverlayRoot Root { get; init; }
    public required LogTarget Log { get; init; }

    /// <summary>Run orch's own tiny init as pid 1: it starts the process, forwards signals to it and reaps orphans.</summary>
    public bool Init { get; init; }

    /// <summary>
    /// Run without a system call filter when the spec carries none. Otherwise such a container gets Docker's default profile
    /// for its capabilities, compiled once and kept by the runtime.
    /// </summary>
    public bool SeccompUnconfined { get; init; }

    /// <summary>Keep its stdin open for who attaches; without, it is empty. A container with a terminal reads from that.</summary>
    public bool OpenStdin { get; init; }

    /// <summary>With <see cref="OpenStdin"/>: its stdin ends when the first session that attached to it closes its input or ends.</summary>
    public bool StdinOnce { get; init; }

    /// <summary>The terminal's size at first, when the process has one.</summary>
    public ConsoleSize? Console { get; init; }
}

/// <summary>The overlay mount that is the container's root. Directories exist already; the runtime mounts and unmounts.</summary>
internal sealed record OverlayRoot
{
    /// <summary>Read-only layers, the topmost first; at least one.</summary>
    public required ImmutableArray<string> LowerLayers { get; init; }

    public required string Upper { get; init; }

    /// <summary>Empty directory on the file system of <see cref="Upper"/>.</summary>
    public required string Work { get; init; }

    /// <summary>Where the mount is made, inside the container's own mount namespace only.</summary>
    public required string Merged { get; init; }
}

/// <summary>How lines are written.</summary>
internal enum LogFormat
{
    /// <summary>json-file, line for line as Docker's driver writes it.</summary>
    Json,

    /// <summary>The driver <c>local</c>: a line of text with some twenty bytes before it.</summary>
    Compact,

    /// <summary>Nothing is kept.</summary>
    None,
}

/// <summary>Where and how a container's output is kept.</summary>
internal sealed record LogTarget
{
    public required string Path { get; init; }
    public LogFormat Format { get; init; }

    /// <summary>Rotate before a line once the file has reached this size, as Docker does; absent: never.</summary>
    public long? MaxSizeBytes { get; init; }

    /// <summary>How many files are kept, the current one included (<c>x.log</c>, <c>x.log.1</c>, …).</summary>
    public int MaxFiles { get => Math.Max(1, field); init; } = 1;

    /// <summary>Rotated files are compressed (<c>x.log.1.gz</c>).</summary>
    public bool Compress { get; init; }

    /// <summary>Written with every line of json-file: labels, variables and the tag that the user asked for.</summary>
    public ImmutableDictionary<string, string> Attributes { get; init => field = value ?? ImmutableDictionary<string, string>.Empty; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>So much waits in memory for a slow disk and what is more is dropped; null: the container waits.</summary>
    public long? BufferBytes { get; init; }
}

/// <summary>A container whose process has been executed.</summary>
internal sealed record StartedContainer(string Id, int Pid, DateTimeOffset StartedAt);

/// <summary>How a container ended.</summary>
internal sealed record ContainerExit
{
    public required string Id { get; init; }
    public required int Pid { get; init; }

    /// <summary>As a shell says it: the status, or 128 + signal.</summary>
    public required int ExitCode { get; init; }

    /// <summary>The signal that ended the process, if one did.</summary>
    public int? Signal { get; init; }

    /// <summary>The kernel killed a process of the container because its memory limit was reached.</summary>
    public bool OomKilled { get; init; }

    public required DateTimeOffset ExitedAt { get; init; }

    /// <summary>Nobody was there to collect the status; <see cref="ExitCode"/> is then 255 and to be treated as a failure.</summary>
    public bool Unknown { get; init; }
}

/// <summary>A container the runtime knows: running (no <see cref="Exit"/>) or ended and not yet deleted.</summary>
internal sealed record ContainerRecord(string Id, int Pid, DateTimeOffset StartedAt, ContainerExit? Exit)
{
    /// <summary>Its processes stand still.</summary>
    public bool Paused { get; init; }
}
