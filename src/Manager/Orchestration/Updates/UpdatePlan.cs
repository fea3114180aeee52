using Orchestrator.Manager.Orchestration.Dependencies;
using Orchestrator.Manager.State;

namespace Orchestrator.Manager.Orchestration.Updates;

/// <summary>Replaces the tasks of a changed spec, some slots at a time. Everything it needs to know stands in the state, so any leader goes on with it.</summary>
internal static class UpdatePlan
{
    internal static Decision Plan(ClusterState state, DateTimeOffset now, IdSource ids)
    {
        var commands = new List<Command>();
        var gates = new Gates(state);
        DateTimeOffset? wake = null;
        foreach (var (service, slots) in Slot.All(state))
        {
            var decision = new ServiceUpdate(service, [.. slots.Where(s => s.IsFilled)], gates, now).Plan(ids);
            commands.AddRange(decision.Commands);
            wake = Decision.Earlier(wake, decision.WakeAt);
        }

        return new(commands, wake);
    }
}
