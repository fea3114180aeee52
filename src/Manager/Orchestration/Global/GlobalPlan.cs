using Orchestrator.Manager.Orchestration.Dependencies;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Global;

/// <summary>One task of a global service, or of a global job's run, on every node that may run it.</summary>
/// <remarks>A paused node keeps its tasks and gets none; a drained one is the drain plan's, and what runs on one that is down is left alone.</remarks>
internal static class GlobalPlan
{
    internal static Decision Plan(ClusterState state, DateTimeOffset now, IdSource ids)
    {
        var create = new List<NewTask>();
        var remove = new List<DesiredChange>();
        var gates = new Gates(state);
        foreach (var (service, slots) in Slot.All(state))
        {
            if (!service.Spec.Mode.IsGlobal)
                continue;
            var placement = service.Spec.TaskTemplate.Placement;
            var byNode = slots.ToDictionary(s => s.Node);
            foreach (var node in state.Nodes.Values)
            {
                var slot = byNode.GetValueOrDefault(node.Id);
                if (!PlacementConstraint.AllHold(placement, node))
                {
                    remove.AddRange((slot?.Tasks ?? []).Where(t => t.DesiredState < TaskState.Remove).Select(t => new DesiredChange(t.Id, TaskState.Remove)));
                }
                else if (node is { Status.State: NodeState.Ready, Spec.Availability: NodeAvailability.Active } && slot is not { IsFilled: true })
                {
                    create.Add(new(ids.NextTask(), service.Id, service.SpecVersion.Index, 0, node.Id, Slot.FirstDesired(gates.HoldsStart(service))));
                }
            }
        }

        return new(SlotCommands.Of(create, remove, now));
    }
}
