using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Restarts;

/// <summary>A restart policy's answers about one slot. The attempts are counted in the slot's history, which reaping keeps long enough.</summary>
internal static class RestartRule
{
    internal static readonly TimeSpan DefaultDelay = TimeSpan.FromSeconds(5);

    internal static TimeSpan Delay(ServiceTask ended) => ended.Spec.RestartPolicy?.Delay ?? DefaultDelay;

    /// <summary>Whether the task, which ended by itself, is to be followed by another one. What a job's task completed is done.</summary>
    internal static bool WantsAnother(ServiceTask task, Slot slot, DateTimeOffset at)
    {
        var policy = task.Spec.RestartPolicy ?? new();
        if (policy.Condition == RestartCondition.None)
            return false;
        if ((policy.Condition == RestartCondition.OnFailure || task.JobIteration is not null) && task.Status.State == TaskState.Complete)
            return false;
        if (policy.MaxAttempts is not ({ } most and > 0))
            return true;
        var restarts = Restarts(slot, task);
        if (policy.Window is { } window && window > TimeSpan.Zero)
            restarts = restarts.Where(t => t.CreatedAt > at - window);
        return (ulong)restarts.Count() < most;
    }

    /// <summary>Whether a task that has to leave its node, or was lost with it, is to be followed by another one elsewhere. That is no restart: it is not counted.</summary>
    internal static bool MayMove(ServiceTask task) => task.Spec.RestartPolicy?.Condition != RestartCondition.None;

    /// <summary>The tasks of this spec version that were made because the one before ended by itself.</summary>
    private static IEnumerable<ServiceTask> Restarts(Slot slot, ServiceTask task)
    {
        var same = slot.Tasks.Where(t => t.SpecVersion == task.SpecVersion).ToList();
        return same.Skip(1).Where((_, i) => same[i].Status.State is TaskState.Complete or TaskState.Failed or TaskState.Rejected);
    }
}
