using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Allocation;

/// <summary>Settles every service's published ports: named ones as they are, the others from Swarm's range 30000 to 32767.</summary>
internal static class PortPlan
{
    private const int First = 30000;
    private const int Last = 32767;

    internal static Decision Plan(ClusterState state, DateTimeOffset now)
    {
        var open = state.Services.Values.Where(s => !s.PendingDelete && !IsSettled(s)).ToList();
        if (open.Count == 0)
            return Decision.Nothing;
        var taken = state.Services.Values.Where(s => !s.PendingDelete)
            .SelectMany(s => (s.Spec.EndpointSpec?.Ports ?? []).Concat(s.Endpoint.Ports))
            .Where(p => p.PublishedPort != 0).Select(p => (p.Protocol, p.PublishedPort)).ToHashSet();
        return new(
        [
            .. open.Select(s => new SetServicePorts(s.Id, s.Spec.EndpointSpec ?? new(), Settle(s, taken)) { At = now })
                .Where(c => c.Ports.All(p => p.PublishedPort != 0)), // while the range is used up, the service waits
        ]);
    }

    private static bool IsSettled(Service service)
    {
        var spec = service.Spec.EndpointSpec ?? new();
        return service.Endpoint.Spec.Mode == spec.Mode && service.Endpoint.Spec.Ports.SequenceEqual(spec.Ports)
            && service.Endpoint.Ports.Count == spec.Ports.Count && service.Endpoint.Ports.All(p => p.PublishedPort != 0);
    }

    private static List<PortConfig> Settle(Service service, HashSet<(string Protocol, int Port)> taken)
    {
        var settled = new List<PortConfig>();
        foreach (var port in service.Spec.EndpointSpec?.Ports ?? [])
        {
            if (port.PublishedPort != 0)
            {
                settled.Add(port);
                continue;
            }

            // A port chosen earlier for the same target stays, so that an update does not move the service.
            var earlier = service.Endpoint.Ports.FirstOrDefault(p =>
                p.Protocol == port.Protocol && p.TargetPort == port.TargetPort && p.PublishMode == port.PublishMode && p.PublishedPort is >= First and <= Last
                && !settled.Exists(s => s.PublishedPort == p.PublishedPort && s.Protocol == p.Protocol));
            var chosen = earlier?.PublishedPort ?? Enumerable.Range(First, Last - First + 1).FirstOrDefault(n => !taken.Contains((port.Protocol, n)));
            taken.Add((port.Protocol, chosen));
            settled.Add(port with { PublishedPort = chosen });
        }

        return settled;
    }
}
