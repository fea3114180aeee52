using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State.Apply;

internal static class NetworkSteps
{
    internal static void Create(Draft draft, NetworkId id, NetworkCreateRequest spec, string where = "")
    {
        if (draft.Networks.Values.Any(n => n.Name == spec.Name))
            draft.Refuse(RefusalKind.Conflict, $"network with name {spec.Name} already exists", where);
        foreach (var given in Subnets(spec.Ipam))
        {
            var overlapping = draft.Networks.Values.Concat(draft.LeavingNetworks.Values)
                .FirstOrDefault(n => Subnets(n.Ipam).Any(s => s.Overlaps(given)));
            if (overlapping is not null)
                draft.Refuse(RefusalKind.Conflict, $"subnet {given} overlaps with network {overlapping.Name}", where);
        }

        if (draft.Refused is not null)
            return;
        draft.Put(new Network
        {
            Id = id,
            Name = spec.Name,
            Created = draft.At,
            Driver = string.IsNullOrEmpty(spec.Driver) ? "overlay" : spec.Driver,
            Internal = spec.Internal,
            Attachable = spec.Attachable,
            Ipam = spec.Ipam ?? new(),
            Options = spec.Options,
            Labels = spec.Labels,
        });
    }

    internal static void Remove(Draft draft, RemoveNetwork command)
    {
        if (!draft.Networks.TryGetValue(command.Id, out var network))
        {
            draft.Refuse(RefusalKind.NotFound, $"network {command.Id} not found");
            return;
        }

        if (network.Ingress)
            draft.Refuse(RefusalKind.Conflict, "network ingress carries the cluster's published ports and can't be removed");
        foreach (var service in draft.Services.Values.Where(s => !s.PendingDelete && s.Spec.TaskTemplate.Networks.Any(n => n.Target == command.Id.Value)))
            draft.Refuse(RefusalKind.Conflict, $"network {network.Name} is in use by service {service.Spec.Name}");
        if (draft.Refused is null)
            draft.Leave(command.Id);
    }

    internal static void Allocate(Draft draft, AllocateNetwork command)
    {
        if (draft.Networks.TryGetValue(command.Id, out var network))
            draft.Put(network with { Ipam = network.Ipam with { Config = command.Config } });
    }

    internal static void Delete(Draft draft, DeleteNetworks command)
    {
        foreach (var id in command.Ids)
        {
            if (draft.LeavingNetworks.ContainsKey(id) && !draft.Tasks.Values.Any(t => t.NetworksAttachments.Any(a => a.NetworkId == id)))
                draft.Forget(id);
        }
    }

    private static IEnumerable<Ipv4Subnet> Subnets(Ipam? ipam) =>
        (ipam?.Config ?? []).Select(c => Ipv4Subnet.Parse(c.Subnet)).OfType<Ipv4Subnet>();
}
