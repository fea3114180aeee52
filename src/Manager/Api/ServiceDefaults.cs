using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary>What applies where a service's spec is silent; shown by <c>?insertDefaults=true</c> and never stored.</summary>
internal static class ServiceDefaults
{
    private static readonly UpdateConfig Update = new()
    {
        Parallelism = 1,
        FailureAction = "pause",
        Monitor = TimeSpan.FromSeconds(5),
        Order = "stop-first",
    };

    internal static ServiceSpec Fill(ServiceSpec spec)
    {
        var template = spec.TaskTemplate;
        var restart = template.RestartPolicy ?? new RestartPolicy { Condition = spec.Mode.IsJob ? RestartCondition.OnFailure : RestartCondition.Any };
        return spec with
        {
            TaskTemplate = template with
            {
                ContainerSpec = template.ContainerSpec is { } container
                    ? container with
                    {
                        StopGracePeriod = container.StopGracePeriod ?? TimeSpan.FromSeconds(10),
                        Isolation = container.Isolation is null or "" ? "default" : container.Isolation,
                        DnsConfig = container.DnsConfig ?? new DnsConfig(),
                    }
                    : null,
                Resources = new ResourceRequirements
                {
                    Limits = template.Resources?.Limits ?? new ResourceAmounts(),
                    Reservations = template.Resources?.Reservations ?? new ResourceAmounts(),
                },
                RestartPolicy = restart with
                {
                    Delay = restart.Delay ?? TimeSpan.FromSeconds(5),
                    MaxAttempts = restart.MaxAttempts ?? 0,
                    Window = restart.Window ?? TimeSpan.Zero,
                },
                Placement = template.Placement ?? new Placement(),
                Runtime = template.Runtime is null or "" ? "container" : template.Runtime,
            },
            Mode = spec.Mode is { Global: null, ReplicatedJob: null, GlobalJob: null }
                ? new ServiceMode { Replicated = new ReplicatedMode { Replicas = spec.Mode.Replicated?.Replicas ?? 1 } }
                : spec.Mode,
            UpdateConfig = spec.Mode.IsJob ? null : Filled(spec.UpdateConfig),
            RollbackConfig = spec.Mode.IsJob ? null : Filled(spec.RollbackConfig),
            EndpointSpec = (spec.EndpointSpec ?? new EndpointSpec()) with { Mode = spec.EndpointSpec?.Mode is null or "" ? "vip" : spec.EndpointSpec.Mode },
        };
    }

    private static UpdateConfig Filled(UpdateConfig? config) => config is null
        ? Update
        : config with
        {
            FailureAction = config.FailureAction is null or "" ? Update.FailureAction : config.FailureAction,
            Monitor = config.Monitor == TimeSpan.Zero ? Update.Monitor : config.Monitor,
            Order = config.Order is null or "" ? Update.Order : config.Order,
        };
}
