using Orchestrator.Manager.Orchestration.Dependencies;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Updates;

/// <summary>One service's update as its state shows it now.</summary>
internal sealed class ServiceUpdate(Service service, IReadOnlyList<Slot> slots, Gates gates, DateTimeOffset now)
{
    private readonly List<NewTask> create = [];
    private readonly List<DesiredChange> change = [];
    private readonly List<Command> commands = [];
    private readonly bool rollingBack = service.UpdateStatus?.State is "rollback_started" or "rollback_paused";
    private readonly DateTimeOffset? restartsSince = gates.RestartsSince(service);
    private DateTimeOffset? wake;
    private Rollout rollout = Rollout.Of(null);
    private DateTimeOffset began = service.UpdateStatus?.StartedAt ?? now;

    internal Decision Plan(IdSource ids)
    {
        var stale = slots.Where(IsStale).ToList();
        var status = service.UpdateStatus?.State;
        if (status is "paused" or "rollback_paused")
            return Decision.Nothing;
        var under = status is "updating" or "rollback_started";
        if (!under && stale.Count == 0)
            return Decision.Nothing;
        if (!under)
        {
            began = now;
            Say("updating", "update in progress", completed: null);
        }

        rollout = Rollout.Of(rollingBack ? service.Spec.RollbackConfig : service.Spec.UpdateConfig);
        if (under && Failed())
            return new(commands);
        RetireReplaced();
        var moving = slots.Count(IsMoving);
        var held = stale.Count > 0 ? gates.HoldsUpdate(service) : null;
        SayWaiting(held);
        var next = stale.Where(s => !s.Live.Any(IsFresh) && (held is null || !s.Live.Any(HasBegun)))
            .OrderBy(s => s.Live.Any(t => t.Status.State == TaskState.Running)).ThenBy(s => s.Number).ThenBy(s => s.Node)
            .Take(Math.Max(0, rollout.Parallelism - moving)).ToList();
        foreach (var slot in next)
            Replace(slot, ids);
        if (stale.Count == 0 && moving == 0)
            Complete();
        return new([.. commands, .. SlotCommands.Of(create, change, now)], wake);
    }

    private bool IsFresh(ServiceTask task) =>
        ReferenceEquals(task.Spec, service.Spec.TaskTemplate) && !(task.CreatedAt < restartsSince)
        && task.HostPorts.SequenceEqual((service.Spec.EndpointSpec?.Ports ?? []).Where(p => p.PublishMode == "host"));

    private bool IsStale(Slot slot) => slot.HasLive ? slot.Live.Any(t => !IsFresh(t)) : !IsFresh(slot.Newest);

    private bool IsOfThisUpdate(ServiceTask task) => IsFresh(task) && task.CreatedAt >= began;

    private static bool HasBegun(ServiceTask task) => task.Status.State is TaskState.Starting or TaskState.Running;

    /// <summary>The task ended though nobody asked it to, and so early that the update is to blame.</summary>
    private bool FailedHere(ServiceTask task) =>
        task.Status.State is TaskState.Failed or TaskState.Rejected or TaskState.Complete && IsOfThisUpdate(task)
        && !(task.Status.Timestamp > task.RunningSince + rollout.Monitor);

    /// <summary>The slot's new task has not proved itself yet. One that failed has, badly: the update goes on to the next slot.</summary>
    private bool IsMoving(Slot slot)
    {
        if (slot.Tasks.Any(FailedHere) || slot.Live.FirstOrDefault(IsOfThisUpdate) is not { } task)
            return false;
        if (task.Status.State != TaskState.Running || task.DesiredState != TaskState.Running)
            return true;
        var due = (task.RunningSince ?? task.UpdatedAt) + rollout.Delay;
        if (due <= now)
            return false;
        wake = Decision.Earlier(wake, due);
        return true;
    }

    /// <summary>Where a new task was started first and runs, the old one goes.</summary>
    private void RetireReplaced()
    {
        foreach (var slot in slots.Where(s => s.Live.Any(t => IsFresh(t) && t.Status.State == TaskState.Running)))
            change.AddRange(slot.Live.Where(t => !IsFresh(t)).Select(t => new DesiredChange(t.Id, TaskState.Shutdown)));
    }

    private void Replace(Slot slot, IdSource ids)
    {
        if (rollout.StartFirst)
        {
            // What an overtaken update began and does not run yet serves nobody: it would pile up beside the one that runs.
            change.AddRange(slot.Live.Where(t => t.Status.State != TaskState.Running).Select(t => new DesiredChange(t.Id, TaskState.Shutdown)));
            create.Add(slot.Replacement(service, ids.NextTask(), Slot.FirstDesired(gates.HoldsStart(service))));
            return;
        }

        change.AddRange(slot.Live.Select(t => new DesiredChange(t.Id, TaskState.Shutdown)));
        create.Add(slot.Replacement(service, ids.NextTask(), TaskState.Ready));
    }

    private bool Failed()
    {
        var failed = slots.SelectMany(s => s.Tasks.Where(FailedHere).Take(1)).ToList();
        if (rollout.OnFailure == FailureAction.Continue || failed.Count == 0 || (double)failed.Count / slots.Count <= rollout.MaxFailureRatio)
            return false;
        var reason = $"due to failure or early termination of task {failed[0].Id}";
        if (rollingBack)
            Say("rollback_paused", "rollback paused " + reason, completed: null);
        else if (rollout.OnFailure == FailureAction.RollBack && service.PreviousSpec is not null)
            commands.Add(new RollBackService(service.Id, service.SpecVersion.Index, "update rolled back " + reason) { At = now });
        else
            Say("paused", "update paused " + reason, completed: null);
        return true;
    }

    private void Complete()
    {
        var since = slots.SelectMany(s => s.Live).Where(IsOfThisUpdate).Select(t => t.RunningSince).Max();
        if (rollout.OnFailure != FailureAction.Continue && since + rollout.Monitor is { } due && due > now)
            wake = Decision.Earlier(wake, due);
        else if (rollingBack)
            Say("rollback_completed", "rollback completed", now);
        else
            Say("completed", "update completed", now);
    }

    /// <summary>An update that has to wait for another service's says so, and says when it goes on.</summary>
    private void SayWaiting(string? held)
    {
        var state = rollingBack ? "rollback_started" : "updating";
        var waited = service.UpdateStatus?.Message?.StartsWith("update waits for ", StringComparison.Ordinal) == true;
        var message = held is not null ? "update " + held : rollingBack ? "rollback in progress" : "update in progress";
        if (service.UpdateStatus?.Message != message && (held is not null || waited))
            Say(state, message, completed: null);
    }

    private void Say(string state, string message, DateTimeOffset? completed) =>
        commands.Add(new SetUpdateStatus(
            service.Id, service.SpecVersion.Index, new() { State = state, StartedAt = began, CompletedAt = completed, Message = message }) { At = now });
}
