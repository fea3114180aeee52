using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State.Apply;

/// <summary>A whole stack in one entry: everything or, with every problem named, nothing.</summary>
internal static class StackSteps
{
    internal static StackReply? Deploy(Draft draft, DeployStack command)
    {
        var spec = command.Spec;
        if (command.NetworkIds.Count != spec.Networks.Count || command.ServiceIds.Count != spec.Services.Count
            || command.SecretIds.Count != spec.Secrets.Count || command.ConfigIds.Count != spec.Configs.Count)
        {
            draft.Refuse(RefusalKind.Invalid, "a stack needs one id for each network, secret, config and service");
            return null;
        }

        var changes = new List<StackChange>();
        for (var i = 0; i < spec.Networks.Count; i++)
            changes.Add(Network(draft, command, spec.Networks[i], command.NetworkIds[i]));
        for (var i = 0; i < spec.Secrets.Count; i++)
            changes.Add(StackPayloads.Put(draft, command.Name, new Secret { Id = command.SecretIds[i], Spec = spec.Secrets[i] }));
        for (var i = 0; i < spec.Configs.Count; i++)
            changes.Add(StackPayloads.Put(draft, command.Name, new Config { Id = command.ConfigIds[i], Spec = spec.Configs[i] }));
        if (spec.Prune)
            changes.AddRange(Prune(draft, command));

        var services = new List<(ServiceId Id, ServiceSpec Spec, string Where)>();
        for (var i = 0; i < spec.Services.Count; i++)
            changes.Add(Service(draft, command, spec.Services[i], command.ServiceIds[i], services));

        // Ports are judged when every service has its new ones, so that two services of a stack can exchange theirs.
        foreach (var (id, stored, where) in services)
        {
            ServiceSteps.RefuseTakenPorts(draft, id, stored, where);
            DependencySteps.Refuse(draft, stored, where);
        }

        // Last, when no service of the stack needs them any more.
        if (spec.Prune)
            changes.AddRange(StackPayloads.Prune(draft, command));
        return new() { Changes = changes };
    }

    private static StackChange Network(Draft draft, DeployStack command, NetworkCreateRequest wanted, NetworkId id)
    {
        var where = $"networks.{wanted.Name}";
        if (draft.Networks.Values.FirstOrDefault(n => n.Name == wanted.Name) is not { } existing)
        {
            NetworkSteps.Create(draft, id, wanted, where);
            return new("network", wanted.Name, id.Value, "created");
        }

        if (!InStack(existing.Labels, command.Name))
            draft.Refuse(RefusalKind.Conflict, $"network {wanted.Name} exists and is not part of stack {command.Name}", where);
        else if (Difference(existing, wanted) is { } setting)
            draft.Refuse(RefusalKind.Conflict, $"network {wanted.Name} exists with another {setting}: networks can't be changed, remove it first", where);
        return new("network", wanted.Name, existing.Id.Value, "unchanged");
    }

    private static IEnumerable<StackChange> Prune(Draft draft, DeployStack command)
    {
        var kept = command.Spec.Services.Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        var gone = draft.Services.Values.Where(s => !s.PendingDelete && InStack(s.Spec.Labels, command.Name) && !kept.Contains(s.Spec.Name)).ToList();
        foreach (var service in gone)
        {
            draft.Put(service with { PendingDelete = true });
            yield return new("service", service.Spec.Name, service.Id.Value, "removed");
        }
    }

    private static StackChange Service(
        Draft draft, DeployStack command, ServiceSpec wanted, ServiceId id, List<(ServiceId Id, ServiceSpec Spec, string Where)> services)
    {
        var where = $"services.{wanted.Name}";
        var stored = SpecReferences.Resolve(draft, wanted, where);
        if (draft.Services.Values.FirstOrDefault(s => !s.PendingDelete && s.Spec.Name == wanted.Name) is not { } existing)
        {
            ServiceSteps.Put(draft, id, stored);
            services.Add((id, stored, where));
            return new("service", wanted.Name, id.Value, "created");
        }

        services.Add((existing.Id, stored, where));
        if (services.Count(s => s.Id == existing.Id) > 1)
            draft.Refuse(RefusalKind.Invalid, $"service {wanted.Name} is named twice in stack {command.Name}", where);
        else if (!InStack(existing.Spec.Labels, command.Name))
            draft.Refuse(RefusalKind.Conflict, $"service {wanted.Name} exists and is not part of stack {command.Name}", where);
        if (StateJson.Same(existing.Spec, stored, StateJson.ServiceSpec))
            return new("service", wanted.Name, existing.Id.Value, "unchanged");
        ServiceSteps.RefuseChangedIdentity(draft, existing, stored, where);
        ServiceSteps.Replace(draft, existing, stored, status: null);
        return new("service", wanted.Name, existing.Id.Value, "updated");
    }

    internal static bool InStack(IReadOnlyDictionary<string, string> labels, string stack) =>
        labels.TryGetValue(StackSpec.NamespaceLabel, out var name) && name == stack;

    private static string? Difference(Network existing, NetworkCreateRequest wanted)
    {
        var driver = string.IsNullOrEmpty(wanted.Driver) ? "overlay" : wanted.Driver;
        if (existing.Driver != driver)
            return "driver";
        if (existing.Internal != wanted.Internal)
            return "setting of internal";
        if (existing.Attachable != wanted.Attachable)
            return "setting of attachable";
        var given = wanted.Ipam is { Config: [var first, ..] } ? first.Subnet : null;
        return given is not null && existing.Ipam.Config.All(c => c.Subnet != given) ? "subnet" : null;
    }
}
