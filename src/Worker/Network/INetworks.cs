using System.Collections.Immutable;

namespace Orchestrator.Worker.Network;

/// <summary>The networks of one host: bridges, sandboxes with their endpoints, published ports and names.</summary>
internal interface INetworks
{
    /// <summary>Makes the network exist as described, now and after a restart; returns it with the subnet that was chosen when none was given.</summary>
    /// <exception cref="NetworkException">The network cannot be made here; the message says why.</exception>
    Task<HostNetwork> EnsureNetworkAsync(HostNetwork network, CancellationToken stop);

    /// <summary>Removes a network; a network that is not there is no error.</summary>
    /// <exception cref="NetworkException">Endpoints are still attached.</exception>
    Task RemoveNetworkAsync(string id, CancellationToken stop);

    /// <summary>The networks this host has now.</summary>
    Task<IReadOnlyList<HostNetwork>> ListNetworksAsync(CancellationToken stop);

    /// <summary>Makes a container's network namespace, complete before its first instruction; undone when a part of it fails.</summary>
    /// <exception cref="NetworkException">An address or port is taken, a network is missing; the message names it.</exception>
    Task<Sandbox> AttachAsync(SandboxRequest request, CancellationToken stop);

    /// <summary>Frees the sandbox's addresses and ports and deletes its namespace; a sandbox that is not there is no error.</summary>
    Task DetachAsync(string sandboxId, CancellationToken stop);

    /// <summary>The sandboxes this host has now, by container id.</summary>
    Task<IReadOnlyDictionary<string, Sandbox>> ListSandboxesAsync(CancellationToken stop);

    /// <summary>
    /// Makes the published service ports and the names be exactly the table's. An older version than the last is answered with the last result;
    /// of several waiting tables only the newest is applied. A port that is taken is reported and the rest is applied.
    /// </summary>
    Task<ServiceTableResult> ApplyServicesAsync(ServiceTable table, CancellationToken stop);

    /// <summary>Which of the ports something else on this host already uses.</summary>
    Task<IReadOnlyList<PortInUse>> FindPortsInUseAsync(ImmutableArray<PortRequest> ports, CancellationToken stop);

    /// <summary>Tells a shim that has started anew everything it keeps for this room: listeners, names, held ports.</summary>
    Task ResyncAsync(CancellationToken stop);

    /// <summary>At daemon start: takes over what living containers use and removes what nobody uses any more.</summary>
    Task<CleanUpReport> RecoverAsync(IReadOnlySet<string> liveSandboxIds, CancellationToken stop);

    /// <summary>Takes down everything this instance made on the host and forgets its state.</summary>
    Task<CleanUpReport> RemoveAllAsync(CancellationToken stop);
}
