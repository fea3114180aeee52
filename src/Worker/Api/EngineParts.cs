using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Events;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Images.Build;
using Orchestrator.Worker.Volumes;

namespace Orchestrator.Worker.Api;

/// <summary>What the engine half of the API speaks for.</summary>
internal sealed record EngineParts
{
    public required ContainerHost Containers { get; init; }
    public required ImageStore Images { get; init; }
    public required VolumeStore Volumes { get; init; }
    public required IHostNetworks Networks { get; init; }
    public required EngineEvents Events { get; init; }
    public required IBuildRunner BuildRunner { get; init; }

    /// <summary>The node's part in a cluster at this moment.</summary>
    public required Func<SwarmInfo> Swarm { get; init; }

    public required string DataRoot { get; init; }
    public required string ExecRoot { get; init; }
    public required string Version { get; init; }
    public bool Debug { get; init; }

    /// <summary>Of containers that name none.</summary>
    public string LogDriver { get; init; } = "json-file";

    /// <summary>Containers have ids of their own.</summary>
    public bool Remapped { get; init; }

    public IReadOnlyList<string> Labels { get; init; } = [];
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
