using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Protocol;

/// <summary>The networks that belong to this host alone (scope <c>local</c>), in the API's words; the cluster's are the manager's.</summary>
public interface IHostNetworks
{
    Task<IReadOnlyList<Network>> ListAsync(CancellationToken stop);

    /// <summary>Who stands on a network of this host, by container id; works for the cluster's networks too.</summary>
    Task<IReadOnlyDictionary<string, NetworkContainer>> ContainersAsync(NetworkId id, CancellationToken stop);

    /// <summary>Answers the id.</summary>
    Task<NetworkId> CreateAsync(NetworkCreateRequest request, CancellationToken stop);

    Task RemoveAsync(NetworkId id, CancellationToken stop);
}
