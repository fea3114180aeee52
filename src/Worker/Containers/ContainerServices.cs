using Microsoft.Extensions.Logging;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Events;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Network;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Volumes;

namespace Orchestrator.Worker.Containers;

/// <summary>What containers stand on.</summary>
internal sealed record ContainerServices
{
    public required IRuntime Runtime { get; init; }
    public required INetworks Networks { get; init; }
    public required IImageLayers Images { get; init; }
    public required VolumeStore Volumes { get; init; }
    public required EngineEvents Events { get; init; }
    public required HostFacts Facts { get; init; }

    /// <summary><c>DATA-ROOT/containers</c>.</summary>
    public required string Root { get; init; }

    /// <summary>The path of the user namespace with these ids.</summary>
    public Func<UserRemap, string>? UserNamespace { get; init; }

    /// <summary>Where secrets and configs stand for the moment in which a container starts: below <c>EXEC-ROOT</c>, each on a file system in memory.</summary>
    public required string MemoryRoot { get; init; }

    public required TimeProvider Time { get; init; }
    public required ILogger<ContainerHost> Log { get; init; }
}
