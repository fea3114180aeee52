using Orchestrator.Manager.Orchestration.Dependencies;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Replicated;

/// <summary>Fills the slots 1 to N of replicated services and empties those above.</summary>
internal static class ReplicaPlan
{
    internal static Decision Plan(ClusterState state, DateTimeOffset now, IdSource ids)
    {
        var create = new List<NewTask>();
        var remove = new List<DesiredChange>();
        var gates = new Gates(state);
        foreach (var (service, slots) in Slot.All(state))
        {
            if (service.Spec.Mode.IsGlobal || service.Spec.Mode.IsJob)
                continue;
            var want = (int)(service.Spec.Mode.Replicated?.Replicas ?? 1);
            var filled = slots.Where(s => s.IsFilled).Select(s => s.Number).ToHashSet();
            for (var number = 1; number <= want; number++)
            {
                if (!filled.Contains(number))
                    create.Add(new(ids.NextTask(), service.Id, service.SpecVersion.Index, number, default, Slot.FirstDesired(gates.HoldsStart(service))));
            }

            remove.AddRange(slots.Where(s => s.Number > want).SelectMany(s => s.Tasks)
                .Where(t => t.DesiredState < TaskState.Remove).Select(t => new DesiredChange(t.Id, TaskState.Remove)));
        }

        return new(SlotCommands.Of(create, remove, now));
    }
}
