using Orchestrator.Manager.Orchestration.Dependencies;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Updates;

/// <summary>
/// Replaces the tasks of a changed spec, some slots at a time. Everything it needs to know stands in the state, so any leader goes on with it.
/// A job is not updated but run anew (<see cref="Jobs.JobPlan"/>). A global service's update does not wait for nodes that are lost: they are updated when they are back.
/// </summary>
internal static class UpdatePlan
{
    internal static Decision Plan(ClusterState state, DateTimeOffset now, IdSource ids)
    {
        var commands = new List<Command>();
        var gates = new Gates(state);
        DateTimeOffset? wake = null;
        foreach (var (service, slots) in Slot.All(state).Where(s => !s.Service.Spec.Mode.IsJob))
        {
            var decision = new ServiceUpdate(service, [.. slots.Where(s => s.IsFilled && !IsAway(state, service, s))], gates, now).Plan(ids);
            commands.AddRange(decision.Commands);
            wake = Decision.Earlier(wake, decision.WakeAt);
        }

        return new(commands, wake);
    }

    private static bool IsAway(ClusterState state, Service service, Slot slot) =>
        service.Spec.Mode.Global is not null && !(state.Nodes.TryGetValue(slot.Node, out var node) && node.Status.State != NodeState.Down);
}
