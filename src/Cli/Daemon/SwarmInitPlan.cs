using System.Net;
using System.Net.Sockets;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Daemon;

/// <summary>What <c>swarm init</c> makes: the cluster and its first node. Pure.</summary>
internal sealed record SwarmInitPlan(Swarm Swarm, Node FirstNode, ClusterEndpoints Endpoints)
{
    /// <param name="request">As sent.</param>
    /// <param name="clusterId">Fresh.</param>
    /// <param name="nodeId">Fresh.</param>
    /// <param name="description">What this host says of itself.</param>
    /// <param name="addresses">This host's IPv4 addresses by interface; the first is taken when none is named.</param>
    /// <param name="defaultPools">The daemon's, for a request without pools.</param>
    /// <param name="member">The first manager's number, fresh.</param>
    /// <param name="now">Stamps both objects.</param>
    /// <exception cref="ApiException">Every problem of the request.</exception>
    internal static SwarmInitPlan Make(
        SwarmInitRequest request,
        string clusterId,
        NodeId nodeId,
        NodeDescription description,
        IReadOnlyList<(string Interface, IPAddress Address)> addresses,
        IReadOnlyList<AddressRange> defaultPools,
        ulong member,
        DateTimeOffset now)
    {
        var problems = new List<Problem>();
        if (request.ForceNewCluster)
            problems.Add(new Problem("ForceNewCluster", "this node is no manager of a swarm that could begin anew"));
        if (request.DataPathAddr is { Length: > 0 })
            problems.Add(new Problem("DataPathAddr", "there is no data path between hosts yet: leave it out"));
        if (request.DataPathPort is not 0 and (< 1024 or > 49151))
            problems.Add(new Problem("DataPathPort", $"{request.DataPathPort} is not a port from 1024 to 49151"));
        var availability = ReadAvailability(request.Availability, problems);
        var pools = request.DefaultAddrPool.Count > 0 ? request.DefaultAddrPool : [.. defaultPools.Select(p => p.Base)];
        foreach (var pool in pools)
        {
            if (!IPNetwork.TryParse(pool, out var prefix) || prefix.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
                problems.Add(new Problem("DefaultAddrPool", $"'{pool}' is not an IPv4 range such as 10.0.0.0/8"));
        }

        var subnet = request.SubnetSize != 0 ? request.SubnetSize : request.DefaultAddrPool.Count == 0 && defaultPools.Count > 0 ? defaultPools[0].Size : 24;
        if (subnet is < 8 or > 29)
            problems.Add(new Problem("SubnetSize", $"{subnet} is not a prefix length from 8 to 29"));
        var endpoints = ClusterEndpoints.Read(request.ListenAddr, request.AdvertiseAddr, addresses, usual: null, problems);
        if (problems.Count > 0 || endpoints is null)
            throw new ApiException(400, string.Join("; ", problems), problems);
        return new(
            new Swarm
            {
                Id = clusterId,
                CreatedAt = now,
                UpdatedAt = now,
                Spec = Filled(request.Spec ?? new SwarmSpec()) is var spec && request.AutoLockManagers
                    ? spec with { EncryptionConfig = new() { AutoLockManagers = true } }
                    : spec,
                DataPathPort = request.DataPathPort == 0 ? 4789 : request.DataPathPort,
                DefaultAddrPool = pools.Count > 0 ? pools : ["10.0.0.0/8"],
                SubnetSize = subnet,
            },
            new Node
            {
                Id = nodeId,
                CreatedAt = now,
                UpdatedAt = now,
                Spec = new NodeSpec { Role = NodeRole.Manager, Availability = availability },
                Description = description,
                Status = new NodeStatus { State = NodeState.Unknown, Addr = endpoints.Address },
                ManagerStatus = new ManagerStatus { Addr = endpoints.Advertised, Member = member },
                ClusterAddr = endpoints.Advertised,
            },
            endpoints);
    }

    /// <summary>Nothing said means active.</summary>
    internal static NodeAvailability ReadAvailability(string? text, List<Problem> problems)
    {
        switch (text)
        {
            case null or "" or "active": return NodeAvailability.Active;
            case "pause": return NodeAvailability.Pause;
            case "drain": return NodeAvailability.Drain;
            default:
                problems.Add(new Problem("Availability", $"'{text}' is none of active, pause, drain"));
                return NodeAvailability.Active;
        }
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
}
