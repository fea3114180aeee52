using System.Collections.Immutable;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State;

/// <summary>The whole replicated state after one log entry: immutable, enumerated in ordinal order of ids, equal on every manager.</summary>
/// <remarks>
/// Tasks of one spec version share one <see cref="TaskSpec"/> instance with their service, in memory by reference and in
/// snapshots by digest (<see cref="StateSnapshot"/>); the garbage collector is the reference count. So equal reference means
/// equal content inside one service, and plans compare specs by reference.
/// </remarks>
internal sealed record ClusterState
{
    /// <summary>Nothing: before <c>swarm init</c>.</summary>
    internal static ClusterState Empty { get; } = new();

    /// <summary>Index of the last log entry applied.</summary>
    public ulong Index { get; init; }

    public Swarm? Swarm { get; init; }

    /// <summary>The cluster's CA and tokens; null before init, and in a cluster that has just been taken over from a version without.</summary>
    public ClusterSecurity? Security { get; init; }
    /// <summary>Certificates of members that were removed or demoted.</summary>
    public ImmutableSortedDictionary<NodeId, Revocation> Revocations { get; init; } = ImmutableSortedDictionary<NodeId, Revocation>.Empty;

    public ImmutableSortedDictionary<NodeId, Node> Nodes { get; init; } = ImmutableSortedDictionary<NodeId, Node>.Empty;
    public ImmutableSortedDictionary<ServiceId, Service> Services { get; init; } = ImmutableSortedDictionary<ServiceId, Service>.Empty;
    public ImmutableSortedDictionary<TaskId, ServiceTask> Tasks { get; init; } = ImmutableSortedDictionary<TaskId, ServiceTask>.Empty;
    public ImmutableSortedDictionary<NetworkId, Network> Networks { get; init; } = ImmutableSortedDictionary<NetworkId, Network>.Empty;

    /// <summary>Removed networks on which tasks still stand: out of the API, but their subnets are not free yet.</summary>
    public ImmutableSortedDictionary<NetworkId, Network> LeavingNetworks { get; init; } = ImmutableSortedDictionary<NetworkId, Network>.Empty;

    public ImmutableSortedDictionary<string, Secret> Secrets { get; init; } = ImmutableSortedDictionary.Create<string, Secret>(StringComparer.Ordinal);
    public ImmutableSortedDictionary<string, Config> Configs { get; init; } = ImmutableSortedDictionary.Create<string, Config>(StringComparer.Ordinal);

    /// <summary>The outcomes of the newest commands that carried a request id.</summary>
    public RequestMemory Requests { get; init; } = RequestMemory.Empty;

    /// <summary>Whether any of the parts is another one than in the earlier state. Apply makes a new collection only for what it changes.</summary>
    internal bool Differs(ClusterState earlier, StateParts parts) =>
        ((parts & StateParts.Members) != StateParts.None
            && !(ReferenceEquals(Nodes, earlier.Nodes) && ReferenceEquals(Swarm, earlier.Swarm) && ReferenceEquals(Security, earlier.Security)
                && ReferenceEquals(Revocations, earlier.Revocations)))
        || ((parts & StateParts.Work) != StateParts.None
            && !(ReferenceEquals(Tasks, earlier.Tasks) && ReferenceEquals(Services, earlier.Services) && ReferenceEquals(Networks, earlier.Networks)
                && ReferenceEquals(LeavingNetworks, earlier.LeavingNetworks)));
}
