using System.Net;
using System.Net.Sockets;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Daemon;

/// <summary>What <c>swarm init</c> makes: the cluster and its first node. Pure.</summary>
internal sealed record SwarmInitPlan(Swarm Swarm, Node FirstNode, string Address)
{
    internal const uint ClusterPort = 2377;

    /// <param name="request">As sent.</param>
    /// <param name="clusterId">Fresh.</param>
    /// <param name="nodeId">Fresh.</param>
    /// <param name="description">What this host says of itself.</param>
    /// <param name="addresses">This host's IPv4 addresses by interface; the first is taken when none is named.</param>
    /// <param name="defaultPools">The daemon's, for a request without pools.</param>
    /// <param name="now">Stamps both objects.</param>
    /// <exception cref="ApiException">Every problem of the request.</exception>
    internal static SwarmInitPlan Make(
        SwarmInitRequest request,
        string clusterId,
        NodeId nodeId,
        NodeDescription description,
        IReadOnlyList<(string Interface, IPAddress Address)> addresses,
        IReadOnlyList<AddressRange> defaultPools,
        DateTimeOffset now)
    {
        var problems = new List<Problem>();
        if (request.ForceNewCluster)
            problems.Add(new Problem("ForceNewCluster", "beginning anew from a lost majority is not there yet: clusters have one manager"));
        if (request.AutoLockManagers)
            problems.Add(new Problem("AutoLockManagers", "locked managers are not there yet"));
        if (request.DataPathAddr is { Length: > 0 })
            problems.Add(new Problem("DataPathAddr", "a data path between hosts is not there yet: clusters have one node"));
        if (request.DataPathPort is not 0 and (< 1024 or > 49151))
            problems.Add(new Problem("DataPathPort", $"{request.DataPathPort} is not a port from 1024 to 49151"));
        if (request.ListenAddr is { Length: > 0 } listen && Host(listen) is not ("0.0.0.0" or "[::]" or "::"))
            problems.Add(new Problem("ListenAddr", $"'{listen}': this version opens no cluster port, so there is no address to bind it to"));
        var availability = request.Availability switch
        {
            null or "" or "active" => NodeAvailability.Active,
            "pause" => NodeAvailability.Pause,
            "drain" => NodeAvailability.Drain,
            _ => (NodeAvailability?)null,
        };
        if (availability is null)
            problems.Add(new Problem("Availability", $"'{request.Availability}' is none of active, pause, drain"));
        var pools = request.DefaultAddrPool.Count > 0 ? request.DefaultAddrPool : [.. defaultPools.Select(p => p.Base)];
        foreach (var pool in pools)
        {
            if (!IPNetwork.TryParse(pool, out var prefix) || prefix.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
                problems.Add(new Problem("DefaultAddrPool", $"'{pool}' is not an IPv4 range such as 10.0.0.0/8"));
        }

        var subnet = request.SubnetSize != 0 ? request.SubnetSize : request.DefaultAddrPool.Count == 0 && defaultPools.Count > 0 ? defaultPools[0].Size : 24;
        if (subnet is < 8 or > 29)
            problems.Add(new Problem("SubnetSize", $"{subnet} is not a prefix length from 8 to 29"));
        var address = Advertised(request.AdvertiseAddr, addresses, problems);
        if (problems.Count > 0)
            throw new ApiException(400, string.Join("; ", problems), problems);
        return new(
            new Swarm
            {
                Id = clusterId,
                CreatedAt = now,
                UpdatedAt = now,
                Spec = Filled(request.Spec ?? new SwarmSpec()),
                DataPathPort = request.DataPathPort == 0 ? 4789 : request.DataPathPort,
                DefaultAddrPool = pools.Count > 0 ? pools : ["10.0.0.0/8"],
                SubnetSize = subnet,
            },
            new Node
            {
                Id = nodeId,
                CreatedAt = now,
                UpdatedAt = now,
                Spec = new NodeSpec { Role = NodeRole.Manager, Availability = availability!.Value },
                Description = description,
                Status = new NodeStatus { State = NodeState.Unknown, Addr = address },
                ManagerStatus = new ManagerStatus { Leader = true, Reachability = Reachability.Reachable, Addr = $"{address}:{ClusterPort}" },
            },
            address);
    }

    /// <summary>Zero means "the default" in what stock clients send with init.</summary>
    private static SwarmSpec Filled(SwarmSpec spec)
    {
        var usual = new SwarmSpec();
        return spec with
        {
            Name = spec.Name is "" ? usual.Name : spec.Name,
            Dispatcher = spec.Dispatcher.HeartbeatPeriod == TimeSpan.Zero ? usual.Dispatcher : spec.Dispatcher,
            Raft = spec.Raft with
            {
                SnapshotInterval = spec.Raft.SnapshotInterval == 0 ? usual.Raft.SnapshotInterval : spec.Raft.SnapshotInterval,
                ElectionTick = spec.Raft.ElectionTick == 0 ? usual.Raft.ElectionTick : spec.Raft.ElectionTick,
                HeartbeatTick = spec.Raft.HeartbeatTick == 0 ? usual.Raft.HeartbeatTick : spec.Raft.HeartbeatTick,
            },
        };
    }

    private static string Host(string text) => text.LastIndexOf(':') is var colon and > 0 && !text.EndsWith(']') && !(text.Count(c => c == ':') > 1 && !text.StartsWith('['))
        ? text[..colon]
        : text;

    /// <summary>An address or an interface's name, with or without a port; none: the first the host has.</summary>
    private static string Advertised(string? asked, IReadOnlyList<(string Interface, IPAddress Address)> addresses, List<Problem> problems)
    {
        if (asked is null or "")
            return addresses.Count > 0 ? addresses[0].Address.ToString() : "127.0.0.1";
        var host = Host(asked);
        if (IPAddress.TryParse(host, out var address))
            return address.ToString();
        if (addresses.FirstOrDefault(a => a.Interface == host) is { Address: { } ofInterface })
            return ofInterface.ToString();
        problems.Add(new Problem("AdvertiseAddr", $"'{asked}' is neither an address nor an interface of this host with an IPv4 address"));
        return "";
    }
}
