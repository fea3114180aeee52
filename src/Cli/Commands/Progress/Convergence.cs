using Orchestrator.Cli.Commands.Tasks;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Progress;

internal enum Outcome
{
    Waiting,
    Running,
    Failed,
}

/// <summary>How far one service is; the text is the line that a person watches.</summary>
/// <param name="Blocked">A task is waiting for something that may never come; the reason is in the text.</param>
internal sealed record ServiceProgress(string Name, Outcome Outcome, string Text, string? Reason, bool Blocked);

/// <summary>Judges whether a service has got where its spec wants it, still may, or will not.</summary>
/// <remarks>
/// Failed means: a task failed and its restart policy makes no other; or the same slot failed again and again without ever staying up;
/// or a task has been refused a place for longer than the grace; or an update was paused or rolled back.
/// </remarks>
internal static class Convergence
{
    /// <summary>This many failures of one slot since the wait began are a crash loop.</summary>
    private const int CrashLoop = 3;

    /// <summary>A host that refuses a task twice refuses it for a reason.</summary>
    private const int Refusals = 2;

    /// <param name="tasks">The tasks of the service's current spec, of every state.</param>
    /// <param name="before">Tasks that had ended before the wait began: their failures are old news.</param>
    /// <param name="blockedFor">How long a task of the service has been without a place.</param>
    /// <param name="grace">How long that may be.</param>
    /// <param name="isRollback">The operator asked for the previous spec back.</param>
    internal static ServiceProgress Judge(
        Service service, IReadOnlyList<ServiceTask> tasks, IReadOnlySet<TaskId> before, TimeSpan blockedFor, TimeSpan grace, bool isRollback = false)
    {
        var name = service.Spec.Name;
        var update = service.UpdateStatus;
        if (update is { State: "paused" or "rollback_paused" })
            return new(name, Outcome.Failed, update.Message ?? update.State, $"{name}: {update.Message ?? "the update failed"}", false);
        if (update is { State: "rollback_completed" } && !isRollback)
            return new(name, Outcome.Failed, "update failed, rolled back", $"{name}: the update failed and was rolled back", false);

        var want = Want(service, tasks);
        var job = service.Spec.Mode.IsJob;
        if (service.JobStatus is { } run)
            tasks = [.. tasks.Where(t => t.JobIteration == run.JobIteration)];
        var slots = tasks.GroupBy(t => TaskPlace.Of(t) is { Length: > 0 } place ? place : t.Id.Value).ToList();
        var policy = service.Spec.TaskTemplate.RestartPolicy ?? new RestartPolicy();
        ulong running = 0, finished = 0;
        string? waiting = null;
        ServiceTask? blocked = null;
        foreach (var slot in slots)
        {
            var live = slot.Where(t => !t.Status.State.IsTerminal() && t.DesiredState <= (job ? TaskState.Complete : TaskState.Running)).ToList();
            if (live.Any(t => t is { Status.State: TaskState.Running, DesiredState: TaskState.Running or TaskState.Complete }))
                running++;
            else if (live.Count == 0 && slot.Any(t => t.Status.State == TaskState.Complete) && (job || policy.Condition != RestartCondition.Any))
                finished++;
            else if (update?.State is not ("updating" or "rollback_started") && Failure(slot, live, before, policy) is { } failure)
                return new(name, Outcome.Failed, $"{running}/{want} running, failed: {failure}", $"{name}.{slot.Key}: {failure}", false);
            blocked ??= live.Find(t => t.Status.State == TaskState.Pending && !string.IsNullOrEmpty(t.Status.Err));
            waiting ??= live.Where(t => t.Status.State != TaskState.Running).Select(State).FirstOrDefault()
                ?? slot.Where(t => !before.Contains(t.Id) && Ended(t) && !(job && t.Status.State == TaskState.Complete)).OrderByDescending(t => t.Status.Timestamp).Select(State).FirstOrDefault();
        }
        var count = job ? $"{finished}/{want} completed, {running} running" : finished > 0 ? $"{running}/{want} running, {finished} finished" : $"{running}/{want} running";
        if (update is { State: "rollback_started" } && !isRollback)
            return new(name, Outcome.Waiting, $"rolls back, {count}: {update.Message}", null, false);
        if (!job && running + finished >= want && update is { State: "updating" or "rollback_started" })
            return new(name, Outcome.Waiting, $"{count}, verifies that they stay so", null, false);
        if ((job ? finished : running + finished) >= want)
            return new(name, Outcome.Running, count, null, false);
        if (update is { State: "updating", Message: { } message } && message.StartsWith("update waits for ", StringComparison.Ordinal))
            waiting = message["update ".Length..];
        if (blocked is not null && blockedFor > grace)
            return new(name, Outcome.Failed, $"{count}, no place: {blocked.Status.Err}", $"{name}.{TaskPlace.Of(blocked)}: {blocked.Status.Err}", true);
        return new(name, Outcome.Waiting, waiting is null ? count : $"{count}, {waiting}", null, blocked is not null);
    }

    private static ulong Want(Service service, IReadOnlyList<ServiceTask> tasks) => service.Spec.Mode.IsGlobal
        ? service.ServiceStatus?.DesiredTasks ?? (ulong)tasks.Where(t => t.DesiredState <= TaskState.Running).Select(t => t.NodeId).Distinct().Count()
        : service.Spec.Mode.ReplicatedJob?.TotalCompletions ?? service.Spec.Mode.Replicated?.Replicas ?? 1;

    private static bool Ended(ServiceTask task) => task.Status.State is TaskState.Failed or TaskState.Rejected or TaskState.Complete;

    private static string? Failure(IEnumerable<ServiceTask> slot, List<ServiceTask> live, IReadOnlySet<TaskId> before, RestartPolicy policy)
    {
        var ended = slot.Where(t => Ended(t) && !before.Contains(t.Id)).OrderByDescending(t => t.Status.Timestamp).ToList();
        if (ended.Count == 0)
            return null;
        var attempts = policy.MaxAttempts ?? 0;
        var noMore = live.Count == 0
            && (policy.Condition == RestartCondition.None || (attempts > 0 && (ulong)ended.Count > attempts));
        var refused = ended.Count(t => t.Status.State == TaskState.Rejected) >= Refusals;
        var again = ended.Count >= CrashLoop;
        if (!noMore && !refused && !again)
            return null;
        return noMore ? Why(ended[0]) : $"{Why(ended[0])} ({ended.Count} times; it is tried again and again)";
    }

    /// <summary>What the newest failure since the wait began said, of whatever spec; null when nothing failed.</summary>
    internal static string? Cause(IReadOnlyList<ServiceTask> tasks, IReadOnlySet<TaskId> before) =>
        tasks.Where(t => Ended(t) && !before.Contains(t.Id)).MaxBy(t => t.Status.Timestamp) is { } task ? Why(task) : null;

    private static string Why(ServiceTask task) => task.Status.Err is { Length: > 0 } error ? error
        : task.Status.State == TaskState.Complete ? "the task ends by itself"
        : task.Status.Message ?? "the task failed";

    private static string State(ServiceTask task) => task.Status.Err is { Length: > 0 } error
        ? $"{task.Status.State.ToString().ToLowerInvariant()}: {error}"
        : task.Status.State.ToString().ToLowerInvariant();
}
