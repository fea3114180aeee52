using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager.Api;

/// <summary>This node's part in a cluster, which begins and ends while the daemon runs. The daemon is one implementation, the tests' node another.</summary>
internal interface ISwarmNode
{
    /// <summary>The manager that runs here; null when the node is none.</summary>
    RunningManager? Manager { get; }

    /// <summary>Why there is none, and what to do, as an answer to whoever needs one.</summary>
    string Obstacle { get; }

    /// <summary>Makes this node the first of a new cluster, or the only manager of the one it is in; answers its id.</summary>
    /// <exception cref="Shared.Http.ApiException">It is in a cluster already, or the request asks for what cannot be given.</exception>
    Task<NodeId> InitAsync(SwarmInitRequest request, CancellationToken stop);

    /// <summary>Makes this node a member of the cluster whose managers and token are given; completes when it is at work.</summary>
    /// <exception cref="Shared.Http.ApiException">It is in a cluster already, no manager lets it in, or the request is wrong.</exception>
    Task JoinAsync(SwarmJoinRequest request, CancellationToken stop);

    /// <summary>Opens a locked manager's journal and starts the manager.</summary>
    /// <exception cref="Shared.Http.ApiException">None is locked here, or the key is not the one.</exception>
    Task UnlockAsync(string key, CancellationToken stop);

    /// <summary>Takes this node out of its cluster: its tasks' containers, the cluster's networks and the state go.</summary>
    /// <exception cref="Shared.Http.ApiException">It is in none, or is a manager and is not forced.</exception>
    Task LeaveAsync(bool force, CancellationToken stop);
}

/// <summary>What the API uses of a manager.</summary>
internal sealed record RunningManager(NodeId Self, ICluster Cluster, ITaskLogs Logs)
{
    /// <summary>The consensus as its members.</summary>
    internal required IManagers Managers { get; init; }

    /// <summary>Null where the journal is not on this host's disk.</summary>
    internal JournalRoom? Room { get; init; }
}
