using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Services;

/// <summary>The table of <c>service ls</c> and <c>stack services</c>.</summary>
internal static class ServiceRow
{
    internal static Listing<Service> Listing(bool noTrunc) => new(
        [
            new("ID", "ID", s => Texts.Id(s.Id.Value, noTrunc)),
            new("Name", "NAME", s => s.Spec.Name),
            new("Mode", "MODE", s => Mode(s.Spec.Mode)),
            new("Replicas", "REPLICAS", Replicas),
            new("Image", "IMAGE", s => Texts.Image(s.Spec.TaskTemplate.ContainerSpec?.Image ?? "", noTrunc)),
            new("Ports", "PORTS", s => Texts.IngressPorts(s.Endpoint.Ports)),
            new("Labels", "LABELS", s => Texts.Labels(s.Spec.Labels)),
        ],
        ["ID", "Name", "Mode", "Replicas", "Image", "Ports"]);

    private static string Mode(ServiceMode mode) => mode switch
    {
        { Global: not null } => "global",
        { GlobalJob: not null } => "global job",
        { ReplicatedJob: not null } => "replicated job",
        _ => "replicated",
    };

    private static string Replicas(Service service)
    {
        var most = service.Spec.TaskTemplate.Placement?.MaxReplicas is > 0 and var m ? $" (max {m} per node)" : "";
        var status = service.ServiceStatus;
        if (service.Spec.Mode.IsJob)
        {
            var total = service.Spec.Mode.ReplicatedJob?.TotalCompletions ?? status?.DesiredTasks ?? 0;
            return $"{status?.RunningTasks ?? 0}/{status?.DesiredTasks ?? 0} ({status?.CompletedTasks ?? 0}/{total} completed)";
        }

        return $"{service.ServiceStatus?.RunningTasks ?? 0}/{service.ServiceStatus?.DesiredTasks ?? service.Spec.Mode.Replicated?.Replicas ?? 1}{most}";
    }
}
