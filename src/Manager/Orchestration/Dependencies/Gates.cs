using System.Globalization;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Dependencies;

/// <summary>Which services have to wait for which, judged once per state.</summary>
/// <remarks>
/// A service counts as started or healthy with its first task that is: from then on its name and its ports lead to one that answers, and a
/// single replica that cannot run does not keep others from being replaced.
/// </remarks>
internal sealed class Gates(ClusterState state)
{
    private readonly Dictionary<ServiceId, string?> starts = [];
    private ILookup<ServiceId, ServiceTask>? tasks;
    private Dictionary<string, Service>? byName;

    /// <summary>Why tasks of the service may not start yet, in a sentence; null when they may.</summary>
    internal string? HoldsStart(Service service)
    {
        if (service.Spec.Orch is not { } extension)
            return null;
        if (!starts.TryGetValue(service.Id, out var reason))
            starts[service.Id] = reason = extension.DependsOn.Select(d => Reason(service, d)).FirstOrDefault(r => r is not null);
        return reason;
    }

    /// <summary>Why running tasks of the service may not be replaced yet: an update goes in the same order as a start.</summary>
    internal string? HoldsUpdate(Service service)
    {
        foreach (var need in service.Spec.Orch?.DependsOn ?? [])
        {
            if (Find(need.Service) is { } other && IsBeingUpdated(other))
                return $"waits for {Short(service, other.Spec.Name)} to be updated ({Detail(service, other)})";
            if (Reason(service, need) is { } reason)
                return reason;
        }

        return null;
    }

    /// <summary>Since when the service's tasks have to be anew, because one that it restarts with was updated.</summary>
    internal DateTimeOffset? RestartsSince(Service service) => (service.Spec.Orch?.DependsOn ?? []).Where(d => d.Restart)
        .Select(d => Find(d.Service)?.UpdateStatus is { State: "completed" or "rollback_completed", CompletedAt: { } at } ? at : (DateTimeOffset?)null).Max();

    /// <summary>Old tasks are left, or new ones that do not run yet. One that is paused may stay so for long, and has what runs.</summary>
    private bool IsBeingUpdated(Service other) => other.UpdateStatus?.State is not ("paused" or "rollback_paused")
        && Live(other).Any(t => !IsFresh(other, t) || (other.UpdateStatus?.State is "updating" or "rollback_started" && t.Status.State < TaskState.Running));

    private string? Reason(Service service, ServiceDependency need)
    {
        var name = Short(service, need.Service);
        if (Find(need.Service) is not { } other)
            return need.Optional ? null : $"waits for {name}, which does not exist";
        var (holds, words) = need.Condition switch
        {
            DependencyCondition.Started => (Tasks(other).Any(HasStarted), "be started"),
            DependencyCondition.Healthy => (Live(other).Any(t => t.Status is { State: TaskState.Running, Err: null }), "be healthy"),
            DependencyCondition.Completed => (HasCompleted(other), "complete"),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        if (holds || (need.Optional && WillNotCome(other)))
            return null;
        return $"waits for {name} to {words} ({Detail(service, other)})";
    }

    private bool WillNotCome(Service other) =>
        other.Spec.Mode.Replicated is { Replicas: 0 } || Tasks(other).Any(t => t.Status.State is TaskState.Failed or TaskState.Rejected);

    /// <summary>The newest news of the other service's slots, the worst first.</summary>
    private string Detail(Service service, Service other)
    {
        var news = Tasks(other).GroupBy(t => (t.Slot, t.NodeId)).Select(g => g.OrderBy(t => t.CreatedAt).ThenBy(t => t.Id).ToList())
            .Select(slot => (Now: slot[^1], Before: slot.Count > 1 ? slot[^2] : null))
            .OrderByDescending(s => Why(s.Now) is not null).ThenBy(s => s.Now.Slot).ThenBy(s => s.Now.Id).FirstOrDefault();
        if (news.Now is not { } task)
            return "it has no task";
        var name = Short(service, other.Spec.Name) + (task.Slot > 0 ? "." + task.Slot.ToString(CultureInfo.InvariantCulture) : "");
        var why = Why(task);
        if (why is null && task.Status.State <= TaskState.Ready && news.Before is { Status.State: TaskState.Failed or TaskState.Rejected } before)
            return $"{name} failed: {Why(before) ?? "it ended"}, and is tried again";
        return $"{name} is {task.Status.State.ToString().ToLowerInvariant()}{(why is null ? "" : ": " + why)}";
    }

    private static string? Why(ServiceTask task) => task.Status.Err is { Length: > 0 } error ? error : null;

    private static bool HasStarted(ServiceTask task) => task.Status.State switch
    {
        TaskState.Starting => task.Status.ContainerStatus is not null && task.DesiredState == TaskState.Running,
        TaskState.Running => task.DesiredState == TaskState.Running,
        TaskState.Complete => true,
        _ => false,
    };

    private bool HasCompleted(Service other)
    {
        var done = Slot.Of(other, Tasks(other)).Count(s => s.Newest.Status.State == TaskState.Complete && IsFresh(other, s.Newest));
        var want = other.Spec.Mode.IsGlobal
            ? Math.Max(1, Slot.Of(other, Tasks(other)).Count)
            : (long)(other.Spec.Mode.ReplicatedJob?.TotalCompletions ?? other.Spec.Mode.Replicated?.Replicas ?? 1);
        return done >= want;
    }

    private static bool IsFresh(Service service, ServiceTask task) => ReferenceEquals(task.Spec, service.Spec.TaskTemplate);

    private IEnumerable<ServiceTask> Live(Service service) => Tasks(service).Where(t => t.DesiredState <= TaskState.Running && !t.Status.State.IsTerminal());

    private IEnumerable<ServiceTask> Tasks(Service service) => (tasks ??= state.Tasks.Values.ToLookup(t => t.ServiceId))[service.Id];

    private Service? Find(string name) => (byName ??= ByName()).GetValueOrDefault(name);

    private Dictionary<string, Service> ByName()
    {
        var all = new Dictionary<string, Service>(StringComparer.Ordinal);
        foreach (var service in state.Services.Values.Where(s => !s.PendingDelete))
            all.TryAdd(service.Spec.Name, service);
        return all;
    }

    /// <summary>Inside a stack as the stack's file names it.</summary>
    private static string Short(Service service, string name) =>
        service.Spec.Labels.TryGetValue(StackSpec.NamespaceLabel, out var stack) && name.StartsWith(stack + "_", StringComparison.Ordinal)
            ? name[(stack.Length + 1)..]
            : name;
}
