using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Reaping;

/// <summary>Forgets tasks: those of removed services and slots when they are gone, and of each slot's history all but the newest.</summary>
internal static class ReapPlan
{
    internal static Decision Plan(ClusterState state, DateTimeOffset now)
    {
        var remove = new List<DesiredChange>();
        var delete = new SortedSet<TaskId>();
        foreach (var task in state.Tasks.Values)
        {
            var orphan = !state.Services.TryGetValue(task.ServiceId, out var service) || service.PendingDelete;
            if (orphan && task.DesiredState < TaskState.Remove)
                remove.Add(new(task.Id, TaskState.Remove));
            var neverPlaced = task.Status.State < TaskState.Assigned;
            if ((neverPlaced && (orphan || task.DesiredState > TaskState.Running))
                || (task.Status.State.IsTerminal() && (orphan || task.DesiredState == TaskState.Remove)))
                delete.Add(task.Id);
        }

        var limit = state.Swarm?.Spec.Orchestration.TaskHistoryRetentionLimit ?? 5;
        foreach (var (_, slots) in limit < 0 ? [] : Slot.All(state))
        {
            foreach (var slot in slots)
                delete.UnionWith(Excess(slot, limit));
        }

        var services = state.Services.Values.Where(s => s.PendingDelete).Select(s => s.Id).ToHashSet();
        if (services.Count > 0)
            services.ExceptWith(state.Tasks.Values.Where(t => !delete.Contains(t.Id)).Select(t => t.ServiceId));
        var commands = new List<Command>();
        if (remove.Count > 0)
            commands.Add(new SetDesiredStates(remove) { At = now });
        if (delete.Count > 0)
            commands.Add(new DeleteTasks([.. delete]) { At = now });
        if (services.Count > 0)
            commands.Add(new DeleteServices([.. services.Order()]) { At = now });
        return new(commands);
    }

    /// <summary>The oldest ended tasks beyond the limit. Where restarts are counted, as many are kept as the count needs.</summary>
    private static IEnumerable<TaskId> Excess(Slot slot, long limit)
    {
        var attempts = slot.Newest.Spec.RestartPolicy?.MaxAttempts ?? 0;
        var keep = attempts > 0 ? Math.Max(limit, (long)Math.Min(attempts, int.MaxValue) + 1) : limit;
        var gone = slot.Tasks.Where(t => t.DesiredState > TaskState.Running && t.Status.State.IsTerminal());

        // The newest stays even at a limit of 0: it says why the slot is finished.
        return gone.Where(t => t.Id != slot.Newest.Id).Take((int)Math.Max(0, slot.Tasks.Length - keep)).Select(t => t.Id);
    }
}
