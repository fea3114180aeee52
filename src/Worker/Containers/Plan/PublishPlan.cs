using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary><c>-P</c>: every port that the image or the request exposes is published on one that the host chooses.</summary>
internal static class PublishPlan
{
    internal static HostConfig Of(ContainerConfig config, HostConfig host)
    {
        if (!host.PublishAllPorts)
            return host;
        var bindings = host.PortBindings.ToDictionary(StringComparer.Ordinal);
        foreach (var exposed in config.ExposedPorts.Keys.Where(e => !bindings.ContainsKey(e) && !bindings.ContainsKey(e.Replace("/tcp", "", StringComparison.Ordinal))))
            bindings[exposed] = [new PortBinding()];
        return host with { PortBindings = bindings };
    }
}
