using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Simulation.Control;

/// <summary>Whether the state is what was asked for; else what is missing.</summary>
internal static class Convergence
{
    /// <summary>It waits for a service that the operator took away or scaled to nothing, or for one that does: no more of it can come.</summary>
    private static bool IsHeld(ClusterState state, Service service) => service.Spec.Orch is { } extension
        && extension.DependsOn.Any(need => state.Services.Values.FirstOrDefault(s => s.Spec.Name == need.Service) is not { } other
            ? !need.Optional
            : (other.Spec.Mode.Replicated is { Replicas: 0 } && !need.Optional) || IsHeld(state, other));

    internal static string? Missing(ClusterState state, IReadOnlyList<SimulatedAgent> agents)
    {
        if (state.Nodes.Values.FirstOrDefault(n => n.Status.State != NodeState.Ready) is { } node)
            return $"node {node.Id} is {node.Status.State}";
        if (state.LeavingNetworks.Count > 0)
            return "a removed network is still there";
        foreach (var service in state.Services.Values)
        {
            if (service.PendingDelete)
                return $"service {service.Spec.Name} is still being removed";
            if (IsHeld(state, service))
                continue;
            var live = state.Tasks.Values.Where(t => t.ServiceId == service.Id && t.DesiredState == TaskState.Running && t.Status.State == TaskState.Running).ToList();
            var want = service.Spec.Mode.Global is not null ? state.Nodes.Count : (int)service.Spec.Mode.Replicated!.Replicas!.Value;
            if (live.Count != want)
                return $"service {service.Spec.Name} has {live.Count} of {want} tasks: "
                    + string.Join(", ", state.Tasks.Values.Where(t => t.ServiceId == service.Id).Select(t => $"{t.Slot}/{t.NodeId}/{t.Status.State}/{t.DesiredState}/{t.Status.Err}"));
            if (live.Any(t => !ReferenceEquals(t.Spec, service.Spec.TaskTemplate)))
                return $"service {service.Spec.Name} still has tasks of an old spec ({service.UpdateStatus?.State})";
            if (service.UpdateStatus?.State == "updating")
                return $"the update of service {service.Spec.Name} does not end";
        }

        if (state.Tasks.Values.FirstOrDefault(t => t.DesiredState == TaskState.Running && t.Status.State < TaskState.Running) is { } stuck)
            return $"task {stuck.Id} is to run and is {stuck.Status.State}";
        var wanted = state.Tasks.Values.Where(t => t.DesiredState == TaskState.Running).Select(t => t.Id).Order();
        return wanted.SequenceEqual(agents.SelectMany(a => a.Running).Select(t => t.Id).Order()) ? null : "containers run that nobody wants, or the other way round";
    }
}
