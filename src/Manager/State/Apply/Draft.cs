using System.Collections.Immutable;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State.Apply;

/// <summary>The next state while one entry is applied: objects put and removed, problems collected, changes noted.</summary>
internal sealed class Draft
{
    private readonly ClusterState start;
    private readonly ImmutableSortedDictionary<NodeId, Node>.Builder nodes;
    private readonly ImmutableSortedDictionary<ServiceId, Service>.Builder services;
    private readonly ImmutableSortedDictionary<TaskId, ServiceTask>.Builder tasks;
    private readonly ImmutableSortedDictionary<NetworkId, Network>.Builder networks;
    private readonly ImmutableSortedDictionary<NetworkId, Network>.Builder leaving;
    private readonly ImmutableSortedDictionary<string, Secret>.Builder secrets;
    private readonly ImmutableSortedDictionary<string, Config>.Builder configs;
    private readonly Dictionary<object, (object? Before, object? After)> changes = [];
    private readonly List<object> order = [];
    private readonly List<Problem> problems = [];

    internal Draft(ClusterState start, ulong index, DateTimeOffset at)
    {
        this.start = start;
        Version = new(index);
        At = at;
        Swarm = start.Swarm;
        Security = start.Security;
        Revocations = start.Revocations;
        nodes = start.Nodes.ToBuilder();
        services = start.Services.ToBuilder();
        tasks = start.Tasks.ToBuilder();
        networks = start.Networks.ToBuilder();
        leaving = start.LeavingNetworks.ToBuilder();
        secrets = start.Secrets.ToBuilder();
        configs = start.Configs.ToBuilder();
    }

    internal ObjectVersion Version { get; }
    internal DateTimeOffset At { get; }
    internal Swarm? Swarm { get; private set; }
    internal ClusterSecurity? Security { get; private set; }
    internal ImmutableSortedDictionary<NodeId, Revocation> Revocations { get; private set; }
    internal IReadOnlyDictionary<NodeId, Node> Nodes => nodes;
    internal IReadOnlyDictionary<ServiceId, Service> Services => services;
    internal IReadOnlyDictionary<TaskId, ServiceTask> Tasks => tasks;
    internal IReadOnlyDictionary<NetworkId, Network> Networks => networks;
    internal IReadOnlyDictionary<NetworkId, Network> LeavingNetworks => leaving;

    internal IReadOnlyDictionary<string, Secret> Secrets => secrets;
    internal IReadOnlyDictionary<string, Config> Configs => configs;

    /// <summary>The kind of the first problem; the answer's status is its.</summary>
    internal RefusalKind? Refused { get; private set; }
    internal IReadOnlyList<Problem> Problems => problems;

    internal void Refuse(RefusalKind kind, string message, string where = "")
    {
        Refused ??= kind;
        problems.Add(new(where, message));
    }

    internal void Put(Swarm swarm)
    {
        var next = swarm with { Version = Version, UpdatedAt = At };
        Note(typeof(Swarm), Swarm, next);
        Swarm = next;
    }

    /// <summary>Secrets are nobody's news: watchers are told of the swarm alone.</summary>
    internal void Put(ClusterSecurity security) => Security = security with { Version = Version };

    /// <summary>The node's certificates count no more; what has expired meanwhile is forgotten.</summary>
    internal void Revoke(NodeId node, RevocationKind kind)
    {
        // Longer than any certificate that was given: at least the usual life, or the present one if that is longer.
        var life = Swarm!.Spec.CaConfig.NodeCertExpiry;
        var usual = new SwarmCaOptions().NodeCertExpiry;
        Revocations = Revocations.RemoveRange(Revocations.Values.Where(r => r.Until < At).Select(r => r.NodeId))
            .SetItem(node, new() { NodeId = node, Removed = kind == RevocationKind.Removed, At = At, Until = At + (life > usual ? life : usual) });
    }

    internal void Put(Node node)
    {
        var next = node with { Version = Version, UpdatedAt = At };
        Note(node.Id, nodes.GetValueOrDefault(node.Id), next);
        nodes[node.Id] = next;
    }

    internal void Put(Service service)
    {
        var next = service with { Version = Version, UpdatedAt = At };
        Note(service.Id, services.GetValueOrDefault(service.Id), next);
        services[service.Id] = next;
    }

    internal void Put(ServiceTask task)
    {
        var next = task with { Version = Version, UpdatedAt = At };
        Note(task.Id, tasks.GetValueOrDefault(task.Id), next);
        tasks[task.Id] = next;
    }

    internal void Put(Network network)
    {
        var next = network with { Version = Version };
        Note(network.Id, networks.GetValueOrDefault(network.Id), next);
        networks[network.Id] = next;
    }

    internal void Put(StoredPayload payload)
    {
        var next = payload with { Version = Version, UpdatedAt = At };
        Note((payload.Noun, payload.Id), (StoredPayload?)secrets.GetValueOrDefault(payload.Id) ?? configs.GetValueOrDefault(payload.Id), next);
        if (next is Secret secret)
            secrets[secret.Id] = secret;
        else
            configs[next.Id] = (Config)next;
    }

    internal void Remove(StoredPayload payload)
    {
        Note((payload.Noun, payload.Id), payload, after: null);
        if (payload is Secret)
            secrets.Remove(payload.Id);
        else
            configs.Remove(payload.Id);
    }

    internal void Remove(NodeId id)
    {
        Note(id, nodes[id], after: null);
        nodes.Remove(id);
    }

    internal void Remove(ServiceId id)
    {
        Note(id, services[id], after: null);
        services.Remove(id);
    }

    internal void Remove(TaskId id)
    {
        Note(id, tasks[id], after: null);
        tasks.Remove(id);
    }

    /// <summary>Takes the network out of the API; it stays reserved until no task stands on it.</summary>
    internal void Leave(NetworkId id)
    {
        var network = networks[id];
        Note(id, network, after: null);
        networks.Remove(id);
        leaving[id] = network;
    }

    internal void Forget(NetworkId id) => leaving.Remove(id);

    internal ClusterState Finish() => start with
    {
        Index = Version.Index,
        Swarm = Swarm,
        Security = Security,
        Revocations = Revocations,
        Nodes = nodes.ToImmutable(),
        Services = services.ToImmutable(),
        Tasks = tasks.ToImmutable(),
        Networks = networks.ToImmutable(),
        LeavingNetworks = leaving.ToImmutable(),
        Secrets = secrets.ToImmutable(),
        Configs = configs.ToImmutable(),
    };

    /// <summary>One change for each object that differs from before the entry, however often it was put.</summary>
    internal IEnumerable<ObjectChange> Changes()
    {
        foreach (var key in order)
        {
            var change = changes[key] switch
            {
                (null, null) => null,
                (null, { } after) => new ObjectChange(ChangeKind.Created, null, after),
                ({ } before, null) => new(ChangeKind.Removed, before, null),
                ({ } before, { } after) => new(ChangeKind.Updated, before, after),
            };
            if (change is not null)
                yield return change;
        }
    }

    private void Note(object key, object? before, object? after)
    {
        if (changes.TryGetValue(key, out var noted))
        {
            changes[key] = (noted.Before, after);
            return;
        }

        changes[key] = (before, after);
        order.Add(key);
    }
}

/// <summary>One object changed by one entry.</summary>
internal sealed record ObjectChange(ChangeKind Kind, object? Before, object? After);
