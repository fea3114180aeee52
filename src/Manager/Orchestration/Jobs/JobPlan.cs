using Orchestrator.Manager.Orchestration.Dependencies;
using Orchestrator.Manager.State;
using Orchestrator.Manager.State.Apply;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Jobs;

/// <summary>
/// Runs replicated jobs: each of the slots 1 to N completes once, so many at a time as the job says. A slot that failed for good is left as
/// it is. What former runs left of a job is removed, before its slot is used again.
/// </summary>
internal static class JobPlan
{
    internal static Decision Plan(ClusterState state, DateTimeOffset now, IdSource ids)
    {
        var create = new List<NewTask>();
        var remove = new List<DesiredChange>();
        var gates = new Gates(state);
        var former = state.Tasks.Values.Where(t => IsFormer(state, t)).ToLookup(t => t.ServiceId);
        remove.AddRange(former.SelectMany(f => f).Where(t => t.DesiredState < TaskState.Remove).Select(t => new DesiredChange(t.Id, TaskState.Remove)));
        foreach (var (service, slots) in Slot.All(state))
        {
            if (service.Spec.Mode.ReplicatedJob is not { } job)
                continue;
            var total = (int)(job.TotalCompletions ?? job.MaxConcurrent ?? 1);
            var stops = former[service.Id].Where(t => !TaskSteps.IsGone(t)).Select(t => t.Slot).ToHashSet();
            var filled = slots.Where(s => s.IsFilled).Select(s => s.Number).ToHashSet();
            var free = (int)(job.MaxConcurrent ?? 1) - slots.Count(s => s.HasLive && s.Number <= total);
            for (var number = 1; number <= total && free > 0; number++)
            {
                if (filled.Contains(number))
                    continue;
                free--;
                if (!stops.Contains(number))
                    create.Add(new(ids.NextTask(), service.Id, service.SpecVersion.Index, number, default, Slot.FirstDesired(gates.HoldsStart(service))));
            }

            remove.AddRange(slots.Where(s => s.Number > total).SelectMany(s => s.Tasks)
                .Where(t => t.DesiredState < TaskState.Remove).Select(t => new DesiredChange(t.Id, TaskState.Remove)));
        }

        return new(SlotCommands.Of(create, remove, now));
    }

    private static bool IsFormer(ClusterState state, ServiceTask task) => task.JobIteration is not null
        && state.Services.TryGetValue(task.ServiceId, out var service) && task.JobIteration != service.JobStatus?.JobIteration;
}
