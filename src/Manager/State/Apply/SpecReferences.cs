using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State.Apply;

/// <summary>A service's spec as it is stored: networks by id, absent choices made explicit, so that equal wishes have equal content.</summary>
internal static class SpecReferences
{
    internal static ServiceSpec Resolve(Draft draft, ServiceSpec spec, string where)
    {
        var wanted = spec.TaskTemplate.Networks.Count > 0 ? spec.TaskTemplate.Networks : spec.Networks;
        var networks = new List<NetworkAttachmentConfig>();
        foreach (var attachment in wanted)
        {
            if (Find(draft, attachment.Target) is not { } network)
                draft.Refuse(RefusalKind.NotFound, $"network {attachment.Target} not found", where);
            else if (network.Ingress)
                draft.Refuse(RefusalKind.Invalid, "service cannot be explicitly attached to the ingress network \"ingress\"", where);
            else if (networks.Any(n => n.Target == network.Id.Value))
                draft.Refuse(RefusalKind.Invalid, $"network {network.Name} is named twice", where);
            else
                networks.Add(attachment with { Target = network.Id.Value });
        }

        RefusePredefined(draft, spec, networks, where);
        var mode = spec.Mode is { Global: null, ReplicatedJob: null, GlobalJob: null }
            ? new ServiceMode { Replicated = new() { Replicas = spec.Mode.Replicated?.Replicas ?? 1 } }
            : spec.Mode.ReplicatedJob is { } job
                ? new ServiceMode { ReplicatedJob = new() { MaxConcurrent = job.MaxConcurrent ?? 1, TotalCompletions = job.TotalCompletions ?? job.MaxConcurrent ?? 1 } }
                : spec.Mode;
        var endpoint = spec.EndpointSpec ?? new();
        return spec with
        {
            Mode = mode,
            Networks = [],
            TaskTemplate = spec.TaskTemplate with
            {
                Networks = networks,
                ContainerSpec = spec.TaskTemplate.ContainerSpec is { } container ? PayloadSteps.Resolve(draft, container, where) : null,
            },
            Orch = spec.Orch is { DependsOn.Count: > 0 } ? spec.Orch : null,
            EndpointSpec = endpoint with { Mode = string.IsNullOrEmpty(endpoint.Mode) ? "vip" : endpoint.Mode },
        };
    }

    internal static Network? Find(Draft draft, string nameOrId) =>
        draft.Networks.TryGetValue(new(nameOrId), out var byId)
            ? byId
            : draft.Networks.Values.FirstOrDefault(n => n.Name == nameOrId) ?? PredefinedNetworks.Find(nameOrId);

    /// <summary>A container on its host's network, or on none, is nowhere else, and nothing leads to it from outside but what it opens itself.</summary>
    private static void RefusePredefined(Draft draft, ServiceSpec spec, List<NetworkAttachmentConfig> networks, string where)
    {
        if (networks.Select(n => PredefinedNetworks.Find(n.Target)).FirstOrDefault(n => n is not null) is not { } network)
            return;
        if (networks.Count > 1)
            draft.Refuse(RefusalKind.Invalid, $"a service on the network {network.Name} cannot be on others, too", where);
        if (spec.EndpointSpec is { Ports.Count: > 0 })
        {
            draft.Refuse(
                RefusalKind.Invalid,
                network.Name == "host"
                    ? "a service on the network host publishes no ports: its program listens on each host itself"
                    : $"a service on the network {network.Name} cannot publish ports: nothing reaches it",
                where);
        }
    }
}
