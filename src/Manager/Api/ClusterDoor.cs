using System.Security.Cryptography;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary>How the API reaches the cluster: a manager or a 503, a proposal's outcome or the refusal's status.</summary>
internal sealed class ClusterDoor(ISwarmNode node, TimeProvider time)
{
    internal const string NoManager =
        "This node is not a swarm manager. Use \"orch swarm init\" or \"orch swarm join\" (or docker's) to connect this node to a swarm and try again.";

    /// <summary>The clock that stamps commands.</summary>
    internal DateTimeOffset Now => time.GetUtcNow();

    /// <summary>The manager that runs here, else 503.</summary>
    internal RunningManager Manager => node.Manager ?? throw new ApiException(503, node.Obstacle);

    /// <summary>The newest state, else 503.</summary>
    internal ClusterState State => Manager.Cluster.Current;

    /// <summary>The newest state, or null when this node is no manager.</summary>
    internal ClusterState? StateOrNone => node.Manager?.Cluster.Current;

    /// <summary>Brings the state up to everything acknowledged before the call, else 503.</summary>
    /// <exception cref="ClusterUnavailableException">There is no leader.</exception>
    internal Task FreshAsync(CancellationToken stop) => Manager.Cluster.FreshAsync(stop);

    internal async Task<Outcome> ProposeAsync(Command command, CancellationToken stop)
    {
        var manager = Manager;
        manager.Room?.Demand(command);
        var outcome = await manager.Cluster.ProposeAsync(command, stop);
        return outcome.Refusal is { } refusal ? throw Refused(refusal) : outcome;
    }

    internal static string NewId() => IdText.Cluster(RandomNumberGenerator.GetBytes(17));

    internal static ApiException Refused(Refusal refusal) => new(
        refusal.Kind switch
        {
            RefusalKind.Invalid => 400,
            RefusalKind.NotFound => 404,
            RefusalKind.Conflict => 409,
            RefusalKind.OutOfSequence => 500, // as Docker answers it
            _ => throw new System.Diagnostics.UnreachableException(),
        },
        refusal.Message,
        refusal.Problems);

    /// <summary>No leader to be found is no fault of the request: 503.</summary>
    internal static ApiException? Translate(Exception failure) =>
        failure is ClusterUnavailableException unavailable ? new ApiException(503, unavailable.Message, inner: unavailable) : null;
}
