using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State.Apply;

internal static class ServiceSteps
{
    internal static void Create(Draft draft, CreateService command)
    {
        var spec = SpecReferences.Resolve(draft, command.Spec, "");
        RefuseTakenName(draft, command.Id, spec, "");
        RefuseTakenPorts(draft, command.Id, spec, "");
        if (draft.Refused is not null)
            return;
        Put(draft, command.Id, spec);
        DependencySteps.Refuse(draft, spec, "");
    }

    internal static void Update(Draft draft, UpdateService command)
    {
        if (!draft.Services.TryGetValue(command.Id, out var service) || service.PendingDelete)
        {
            draft.Refuse(RefusalKind.NotFound, $"service {command.Id} not found");
            return;
        }

        if (service.Version.Index != command.Version)
        {
            draft.Refuse(RefusalKind.OutOfSequence, $"update out of sequence: service {service.Spec.Name} is at version {service.Version.Index}, not {command.Version}");
            return;
        }

        if (command.Rollback)
        {
            if (service.PreviousSpec is not { } previous)
            {
                draft.Refuse(RefusalKind.Invalid, $"service {service.Spec.Name} does not have a previous spec");
                return;
            }

            RefuseTakenPorts(draft, service.Id, previous, "");
            if (previous.TaskTemplate.ContainerSpec is { } container)
                PayloadSteps.Resolve(draft, container, "");
            if (draft.Refused is null)
                Replace(draft, service, previous, new() { State = "rollback_started", StartedAt = draft.At, Message = "manually requested rollback" });
            return;
        }

        // A client that does not know the extension posts a spec without it.
        var spec = SpecReferences.Resolve(draft, KeepOwn(command.Spec, service.Spec), "");
        RefuseChangedIdentity(draft, service, spec, "");
        RefuseTakenPorts(draft, service.Id, spec, "");
        if (draft.Refused is not null)
            return;
        Replace(draft, service, spec, status: null);
        DependencySteps.Refuse(draft, spec, "");
    }

    internal static void Remove(Draft draft, RemoveService command)
    {
        if (!draft.Services.TryGetValue(command.Id, out var service) || service.PendingDelete)
            draft.Refuse(RefusalKind.NotFound, $"service {command.Id} not found");
        else
            draft.Put(service with { PendingDelete = true });
    }

    /// <summary>What the Engine API has no field for is dropped by stock clients when they post a spec back, and stays then.</summary>
    private static ServiceSpec KeepOwn(ServiceSpec spec, ServiceSpec old)
    {
        spec = spec with { Orch = spec.Orch ?? old.Orch };
        var users = old.TaskTemplate.ContainerSpec?.Privileges?.UserNamespace;
        return users is null || spec.TaskTemplate.ContainerSpec is not { Privileges: null or { UserNamespace: null } } container
            ? spec
            : spec with
            {
                TaskTemplate = spec.TaskTemplate with
                {
                    ContainerSpec = container with { Privileges = (container.Privileges ?? new Privileges()) with { UserNamespace = users } },
                },
            };
    }

    internal static void SetUpdateStatus(Draft draft, SetUpdateStatus command)
    {
        if (Current(draft, command.Id, command.SpecVersion) is { } service)
            draft.Put(service with { UpdateStatus = command.Status });
    }

    internal static void RollBack(Draft draft, RollBackService command)
    {
        if (Current(draft, command.Id, command.SpecVersion) is { PreviousSpec: { } previous } service)
        {
            draft.Put(service with
            {
                Spec = previous,
                PreviousSpec = null,
                SpecVersion = draft.Version,
                UpdateStatus = new() { State = "rollback_started", StartedAt = draft.At, Message = command.Message },
            });
        }
    }

    internal static void SetPorts(Draft draft, SetServicePorts command)
    {
        if (draft.Services.TryGetValue(command.Id, out var service) && !service.PendingDelete)
            draft.Put(service with { Endpoint = service.Endpoint with { Spec = command.Spec, Ports = command.Ports } });
    }

    internal static void Delete(Draft draft, DeleteServices command)
    {
        foreach (var id in command.Ids)
        {
            if (draft.Services.TryGetValue(id, out var service) && service.PendingDelete && !draft.Tasks.Values.Any(t => t.ServiceId == id))
                draft.Remove(id);
        }
    }

    internal static void Put(Draft draft, ServiceId id, ServiceSpec spec) =>
        draft.Put(new Service { Id = id, CreatedAt = draft.At, Spec = spec, SpecVersion = draft.Version, JobStatus = Run(draft, spec) });

    private static JobStatus? Run(Draft draft, ServiceSpec spec) =>
        spec.Mode.IsJob ? new() { JobIteration = draft.Version, LastExecution = draft.At } : null;

    /// <summary>A new spec: equal task templates keep one instance, so that going back to an old one replaces nothing that still has it.</summary>
    internal static void Replace(Draft draft, Service service, ServiceSpec spec, UpdateStatus? status)
    {
        var known = draft.Tasks.Values.Where(t => t.ServiceId == service.Id).Select(t => t.Spec)
            .Prepend(service.PreviousSpec?.TaskTemplate).Prepend(service.Spec.TaskTemplate);
        var template = known.OfType<TaskSpec>().Distinct(ReferenceEqualityComparer.Instance).Cast<TaskSpec>()
            .FirstOrDefault(t => StateJson.Same(t, spec.TaskTemplate, StateJson.TaskSpec)) ?? spec.TaskTemplate;
        draft.Put(service with
        {
            Spec = spec with { TaskTemplate = template },
            PreviousSpec = service.Spec,
            SpecVersion = draft.Version,
            UpdateStatus = spec.Mode.IsJob ? null : status,
            // A job with another template, --force included, is run again; with other counts the run goes on.
            JobStatus = ReferenceEquals(template, service.Spec.TaskTemplate) ? service.JobStatus : Run(draft, spec),
        });
    }

    internal static void RefuseTakenName(Draft draft, ServiceId id, ServiceSpec spec, string where)
    {
        if (draft.Services.Values.Any(s => s.Id != id && !s.PendingDelete && s.Spec.Name == spec.Name))
            draft.Refuse(RefusalKind.Conflict, $"name conflicts with an existing object: service {spec.Name} already exists", where);
    }

    internal static void RefuseChangedIdentity(Draft draft, Service service, ServiceSpec spec, string where)
    {
        if (service.Spec.Name != spec.Name)
            draft.Refuse(RefusalKind.Invalid, $"renaming services is not supported: {service.Spec.Name} can't become {spec.Name}", where);
        if (service.Spec.Mode.IsGlobal != spec.Mode.IsGlobal || service.Spec.Mode.IsJob != spec.Mode.IsJob)
            draft.Refuse(RefusalKind.Invalid, "service mode change is not allowed", where);
    }

    /// <summary>A port of the routing mesh belongs to one service on every node, so it stands against host-mode ports too.</summary>
    internal static void RefuseTakenPorts(Draft draft, ServiceId id, ServiceSpec spec, string where)
    {
        foreach (var port in spec.EndpointSpec?.Ports ?? [])
        {
            if (port.PublishedPort == 0)
                continue;
            foreach (var other in draft.Services.Values.Where(s => s.Id != id && !s.PendingDelete))
            {
                var taken = HeldPorts(other).FirstOrDefault(p =>
                    p.PublishedPort == port.PublishedPort && p.Protocol == port.Protocol
                    && (p.PublishMode == "ingress" || port.PublishMode == "ingress"));
                if (taken is null)
                    continue;
                var role = taken.PublishMode == "ingress" ? "an ingress port" : "a host-published port";
                draft.Refuse(
                    RefusalKind.Conflict, $"port '{port.PublishedPort}' is already in use by service '{other.Spec.Name}' ({other.Id}) as {role}", where);
            }
        }
    }

    /// <summary>Ports by the spec, and those the allocator chose for it; what the allocator gave an earlier spec no longer counts.</summary>
    private static IEnumerable<PortConfig> HeldPorts(Service service)
    {
        var wanted = service.Spec.EndpointSpec?.Ports ?? [];
        return wanted.Concat(service.Endpoint.Ports.Where(chosen => wanted.Any(w =>
            w.PublishedPort == 0 && w.TargetPort == chosen.TargetPort && w.Protocol == chosen.Protocol && w.PublishMode == chosen.PublishMode)));
    }

    private static Service? Current(Draft draft, ServiceId id, ulong specVersion) =>
        draft.Services.TryGetValue(id, out var service) && !service.PendingDelete && service.SpecVersion.Index == specVersion ? service : null;
}
