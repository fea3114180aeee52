using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Updates;

/// <summary>One service's update as its state shows it now.</summary>
internal sealed class ServiceUpdate(Service service, IReadOnlyList<Slot> slots, DateTimeOffset now)
{
    private readonly List<NewTask> create = [];
    private readonly List<DesiredChange> change = [];
    private readonly List<Command> commands = [];
    private readonly bool rollingBack = service.UpdateStatus?.State?.StartsWith("rollback", StringComparison.Ordinal) == true;
    private DateTimeOffset? wake;
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

        var rollout = Rollout.Of(rollingBack ? service.Spec.RollbackConfig : service.Spec.UpdateConfig);
        if (under && Failed(rollout))
            return new(commands);
        RetireReplaced();
        var moving = slots.Count(s => IsMoving(s, rollout));
        var next = stale.Where(s => !s.Live.Any(IsFresh))
            .OrderBy(s => s.Live.Any(t => t.Status.State == TaskState.Running)).ThenBy(s => s.Number).ThenBy(s => s.Node)
            .Take(Math.Max(0, rollout.Parallelism - moving)).ToList();
        foreach (var slot in next)
            Replace(slot, rollout, ids);
        if (stale.Count == 0 && moving == 0)
            Complete(rollout);
        return new([.. commands, .. SlotCommands.Of(create, change, now)], wake);
    }

    private bool IsFresh(ServiceTask task) =>
        ReferenceEquals(task.Spec, service.Spec.TaskTemplate)
        && task.HostPorts.SequenceEqual((service.Spec.EndpointSpec?.Ports ?? []).Where(p => p.PublishMode == "host"));

    private bool IsStale(Slot slot) => slot.HasLive ? slot.Live.Any(t => !IsFresh(t)) : !IsFresh(slot.Newest);

    private bool IsOfThisUpdate(ServiceTask task) => IsFresh(task) && task.CreatedAt >= began;

    /// <summary>The task ended though nobody asked it to.</summary>
    private bool FailedHere(ServiceTask task) =>
        task.Status.State is TaskState.Failed or TaskState.Rejected or TaskState.Complete && IsOfThisUpdate(task);

    /// <summary>The slot's new task has not proved itself yet. One that failed has, badly: the update goes on to the next slot.</summary>
    private bool IsMoving(Slot slot, Rollout rollout)
    {
        if (slot.Tasks.Any(FailedHere) || slot.Live.FirstOrDefault(IsOfThisUpdate) is not { } task)
            return false;
        if (task.Status.State != TaskState.Running || task.DesiredState != TaskState.Running)
            return true;
        var due = task.UpdatedAt + rollout.Delay;
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

    private void Replace(Slot slot, Rollout rollout, IdSource ids)
    {
        if (rollout.StartFirst)
        {
            create.Add(slot.Replacement(service, ids.NextTask(), TaskState.Running));
            return;
        }

        change.AddRange(slot.Live.Select(t => new DesiredChange(t.Id, TaskState.Shutdown)));
        create.Add(slot.Replacement(service, ids.NextTask(), TaskState.Ready));
    }

    private bool Failed(Rollout rollout)
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

    private void Complete(Rollout rollout)
    {
        var since = slots.SelectMany(s => s.Live).Where(IsOfThisUpdate).Select(t => (DateTimeOffset?)t.UpdatedAt).Max();
        if (rollout.OnFailure != FailureAction.Continue && since + rollout.Monitor is { } due && due > now)
            wake = Decision.Earlier(wake, due);
        else if (rollingBack)
            Say("rollback_completed", "rollback completed", now);
        else
            Say("completed", "update completed", now);
    }

    private void Say(string state, string message, DateTimeOffset? completed) =>
        commands.Add(new SetUpdateStatus(
            service.Id, service.SpecVersion.Index, new() { State = state, StartedAt = began, CompletedAt = completed, Message = message }) { At = now });
}
