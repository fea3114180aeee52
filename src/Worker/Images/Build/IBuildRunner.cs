using System.Collections.Immutable;

namespace Orchestrator.Worker.Images.Build;

/// <summary>
/// Runs the command of a RUN step; the real one is a short-lived container. The overlay is mounted with <c>redirect_dir=off,metacopy=off</c>, and
/// mount points that the container adds for itself are taken out of the upper directory again.
/// </summary>
internal interface IBuildRunner
{
    /// <summary>Runs to the end and gives the exit code; changes of the file system are in <see cref="BuildStep.UpperDir"/> afterwards.</summary>
    Task<int> RunAsync(BuildStep step, BuildOutput output, CancellationToken stop);
}

/// <summary>Receives what the command writes; called from one thread at a time, the bytes are valid only during the call.</summary>
internal delegate void BuildOutput(BuildStream stream, ReadOnlySpan<byte> bytes);

/// <summary>Which descriptor the bytes came from.</summary>
internal enum BuildStream
{
    Stdout = 1,
    Stderr = 2,
}

/// <summary>One command to run on an overlay of given layers.</summary>
internal sealed record BuildStep
{
    /// <summary>Unique for this run, usable as container id.</summary>
    public required string Id { get; init; }

    /// <summary>Lower directories, top first; empty when the stage started from scratch and has no layer yet.</summary>
    public required ImmutableArray<string> LowerDirs { get; init; }

    /// <summary>Empty directory made for this step on the same file system as <see cref="WorkDir"/>; becomes the layer.</summary>
    public required string UpperDir { get; init; }

    /// <summary>Overlayfs's work directory.</summary>
    public required string WorkDir { get; init; }

    public required ImmutableArray<string> Argv { get; init; }
    public required ImmutableArray<string> Env { get; init; }
    public required string Cwd { get; init; }

    /// <summary>As in USER: name or number, optionally <c>:group</c>; empty is root.</summary>
    public required string User { get; init; }

    /// <summary>Lines for /etc/hosts, <c>name:address</c>.</summary>
    public ImmutableArray<string> ExtraHosts { get; init; } = [];
}
