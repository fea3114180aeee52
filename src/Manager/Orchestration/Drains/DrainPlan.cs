using Orchestrator.Manager.Orchestration.Dependencies;
using Orchestrator.Manager.Orchestration.Restarts;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Drains;

/// <summary>
/// Empties drained nodes. A task that serves there goes when the one that relieves it elsewhere runs and is healthy; what does not serve
/// yet, or belongs to a global service, goes at once. So does a job's task: its work is not to be done twice at a time.
/// </summary>
/// <remarks>
/// Drain is an order and is carried out in the end: a task that no node can take leaves after <see cref="NoRoom"/> (at once, when no other
/// node could ever take it), and one whose relief does not get to run leaves after <see cref="Patience"/>. <c>service ps</c> shows the relief and why it waits
/// meanwhile. When the node becomes active again before that, reliefs that do not run yet are taken back; those that run stay.
/// </remarks>
internal static class DrainPlan
{
    /// <summary>For a relief that no node takes. Long enough for a node that restarts to be back, when hosts are done one after the other.</summary>
    internal static readonly TimeSpan NoRoom = TimeSpan.FromSeconds(30);

    /// <summary>For a relief that has a place: its image is fetched, it becomes healthy, or it fails and is tried again.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    internal static Decision Plan(ClusterState state, DateTimeOffset now, IdSource ids)
    {
        var change = new List<DesiredChange>();
        var create = new List<NewTask>();
        var gates = new Gates(state);
        DateTimeOffset? wake = null;
        foreach (var (service, slots) in Slot.All(state))
        {
            foreach (var slot in slots)
            {
                foreach (var task in slot.Live.Where(t => !t.Status.State.IsTerminal()))
                {
                    if (IsDrained(state, task))
                        wake = Decision.Earlier(wake, Leave(state, service, slot, task, gates, now, ids, change, create));
                    else if (slot.ReliefOf(task) is { } needless)
                        change.Add(new(Serves(needless) ? task.Id : needless.Id, TaskState.Shutdown));
                }
            }
        }

        return new(SlotCommands.Of(create, change, now), wake);
    }

    /// <summary>The task's node is to be left, and can still be told so.</summary>
    internal static bool IsDrained(ClusterState state, ServiceTask task) => task.NodeId.Value is { Length: > 0 }
        && state.Nodes.TryGetValue(task.NodeId, out var node) && node.Status.State != NodeState.Down && node.Spec.Availability == NodeAvailability.Drain;

    /// <summary>When to look at the task again, if it stays for now.</summary>
    private static DateTimeOffset? Leave(
        ClusterState state, Service service, Slot slot, ServiceTask task, Gates gates, DateTimeOffset now, IdSource ids, List<DesiredChange> change, List<NewTask> create)
    {
        var moves = !service.Spec.Mode.IsGlobal && RestartRule.MayMove(task);
        var relief = slot.ReliefOf(task) ?? slot.SuccessorOf(service, task);
        if (!moves || service.Spec.Mode.IsJob || !Serves(task) || relief is null && !AnyOther(state))
        {
            change.Add(new(task.Id, TaskState.Shutdown));
            if (moves && relief is null)
                create.Add(slot.Replacement(service, ids.NextTask(), TaskState.Ready, relief: slot.RelievedBy(task) is null ? null : task.Relief));
            return null;
        }

        if (relief is null)
        {
            create.Add(slot.Replacement(
                service, ids.NextTask(), Slot.FirstDesired(gates.HoldsStart(service)), relief: new() { TaskId = task.Id, Until = now + Patience }));
            return null;
        }

        var until = relief.Relief?.Until ?? relief.CreatedAt + Patience;
        if (relief.Status is { State: TaskState.Pending, Err: not null } && relief.CreatedAt + NoRoom < until)
            until = relief.CreatedAt + NoRoom;
        if (!Serves(relief) && until > now)
            return until;
        change.Add(new(task.Id, TaskState.Shutdown));
        return null;
    }

    /// <summary>Some other node is not drained: it takes tasks now, or may when it is back.</summary>
    private static bool AnyOther(ClusterState state) => state.Nodes.Values.Any(n => n.Spec.Availability != NodeAvailability.Drain);

    private static bool Serves(ServiceTask task) => task is { Status: { State: TaskState.Running, Err: null }, DesiredState: TaskState.Running };
}
