using System.Collections.Immutable;

namespace Orchestrator.Worker.Images.Build;

/// <summary>What <c>POST /build</c> asks for.</summary>
internal sealed record BuildRequest
{
    /// <summary>The build context: a tar, plain or gzip.</summary>
    public required Stream Context { get; init; }

    /// <summary>Where the Dockerfile is inside the context.</summary>
    public string DockerfilePath { get; init; } = "Dockerfile";

    /// <summary>The names the result gets.</summary>
    public ImmutableArray<string> Tags { get; init; } = [];

    /// <summary>Values for ARG; null means "declared without a value".</summary>
    public ImmutableSortedDictionary<string, string?> BuildArgs { get; init; } = ImmutableSortedDictionary<string, string?>.Empty;

    /// <summary>Labels put on the result.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The stage to stop at; the last one when null.</summary>
    public string? Target { get; init; }

    /// <summary>Run every step although an earlier build has the result.</summary>
    public bool NoCache { get; init; }

    /// <summary>Say only the result's id.</summary>
    public bool Quiet { get; init; }

    /// <summary>Lines for /etc/hosts of RUN steps, <c>name:address</c>.</summary>
    public ImmutableArray<string> ExtraHosts { get; init; } = [];
}
