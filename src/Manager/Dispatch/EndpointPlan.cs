using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager.Dispatch;

/// <summary>Who answers to which port and name on a node now: its own tasks that run and are meant to.</summary>
/// <remarks>
/// There is no network between hosts yet, so a node is told of no backend that its packets would not reach. Every node holds every ingress port
/// all the same: where none of the service's tasks is, a connection is refused at once, and no other program takes a port that the cluster gave away.
/// </remarks>
internal static class EndpointPlan
{
    /// <summary>Every ingress port, and the names on the given networks, as the node is to have them.</summary>
    internal static EndpointTable Plan(ClusterState state, NodeId node, IReadOnlySet<NetworkId> networks)
    {
        var ports = new List<PublishedEndpoint>();
        var names = new SortedDictionary<(NetworkId Network, string Name), SortedSet<string>>(Comparer<(NetworkId Network, string Name)>.Create(
            static (a, b) => a.Network.CompareTo(b.Network) is var order and not 0 ? order : string.CompareOrdinal(a.Name, b.Name)));
        var byService = state.Tasks.Values.Where(t => t.NodeId == node && Answers(t)).ToLookup(t => t.ServiceId);
        foreach (var service in state.Services.Values.Where(s => !s.PendingDelete))
        {
            var tasks = byService[service.Id].OrderBy(t => t.Slot).ThenBy(t => t.Id).ToList();
            foreach (var port in service.Endpoint.Ports.Where(p => p.PublishMode == "ingress"))
            {
                ports.Add(new()
                {
                    ServiceId = service.Id,
                    ServiceName = service.Spec.Name,
                    Protocol = port.Protocol,
                    PublishedPort = port.PublishedPort,
                    TargetPort = port.TargetPort,
                    Backends = [.. tasks.Select(t => Plain(t.NetworksAttachments.SelectMany(a => a.Addresses).FirstOrDefault())).Where(a => a.Length > 0)],
                });
            }

            Name(service, tasks, networks, names);
        }

        return new()
        {
            Version = state.Index,
            Ports = ports,
            Names = [.. names.Select(n => new NamedEndpoint { NetworkId = n.Key.Network, Name = n.Key.Name, Addresses = [.. n.Value] })],
        };
    }

    /// <summary>Whether two tables say the same, whatever their versions.</summary>
    internal static bool Same(EndpointTable a, EndpointTable b) =>
        a.Ports.SequenceEqual(b.Ports, PortComparer) && a.Names.SequenceEqual(b.Names, NameComparer);

    private static void Name(
        Service service, List<ServiceTask> tasks, IReadOnlySet<NetworkId> networks, SortedDictionary<(NetworkId, string), SortedSet<string>> names)
    {
        // A service's names exist while no task answers, so that a look-up says "nobody yet" and not "no such name".
        foreach (var config in service.Spec.TaskTemplate.Networks.Where(n => networks.Contains(new(n.Target))))
        {
            foreach (var name in Names(service, config.Aliases))
                Addresses(names, new(config.Target), name);
        }

        foreach (var task in tasks)
        {
            // By the task's own attachments: during an update they differ from the service's. Ingress has no names.
            foreach (var attachment in task.NetworksAttachments.Where(a => networks.Contains(a.NetworkId) && task.Spec.Networks.Count > 0))
            {
                var all = Names(service, attachment.Aliases);
                foreach (var name in task.Name is { } own ? all.Append(own) : all)
                    Addresses(names, attachment.NetworkId, name).UnionWith(attachment.Addresses.Select(Plain));
            }
        }
    }

    /// <summary>A service is known by its name and its aliases, its tasks by each of these after <c>tasks.</c>, as in Swarm.</summary>
    private static IEnumerable<string> Names(Service service, IReadOnlyList<string> aliases) =>
        aliases.Append(service.Spec.Name).SelectMany(name => new[] { name, "tasks." + name });

    private static SortedSet<string> Addresses(SortedDictionary<(NetworkId, string), SortedSet<string>> names, NetworkId network, string name)
    {
        if (!names.TryGetValue((network, name), out var addresses))
            names[(network, name)] = addresses = new(StringComparer.Ordinal);
        return addresses;
    }

    /// <summary>It runs, is meant to, and nothing is wrong with it: a task that was found unhealthy is left alone before it is stopped.</summary>
    private static bool Answers(ServiceTask task) => task is { Status: { State: TaskState.Running, Err: null }, DesiredState: TaskState.Running };

    private static string Plain(string? cidr) => cidr is null ? "" : cidr.Split('/')[0];

    private static readonly EqualityComparer<PublishedEndpoint> PortComparer = EqualityComparer<PublishedEndpoint>.Create(static (a, b) =>
        a == b || (a is not null && b is not null && a with { Backends = [] } == b with { Backends = [] } && a.Backends.SequenceEqual(b.Backends)));

    private static readonly EqualityComparer<NamedEndpoint> NameComparer = EqualityComparer<NamedEndpoint>.Create(static (a, b) =>
        a == b || (a is not null && b is not null && a.NetworkId == b.NetworkId && a.Name == b.Name && a.Addresses.SequenceEqual(b.Addresses)));
}
