using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Restarts;

/// <summary>Retires tasks that ended or whose node is lost, and makes their followers: those that ended wait as the policy says, those that were lost do not.</summary>
/// <remarks>
/// A global service's task on a lost node is left as it is: no other node can run it, and while the node is merely cut off it serves on. What
/// became of it the node tells when it is back.
/// </remarks>
internal static class RestartPlan
{
    internal static Decision Plan(ClusterState state, DateTimeOffset now, IdSource ids)
    {
        var retired = new List<DesiredChange>();
        var followers = new List<NewTask>();
        foreach (var (service, slots) in Slot.All(state))
        {
            var global = service.Spec.Mode.IsGlobal;
            foreach (var slot in slots)
            {
                foreach (var task in slot.Live)
                {
                    var ended = task.Status.State.IsTerminal();
                    if (!ended && (global || !IsLost(state, task)))
                        continue;
                    retired.Add(new(task.Id, TaskState.Shutdown));
                    if (Follower(state, service, slot, task, now, ids) is { } follower)
                        followers.Add(follower);
                }
            }
        }

        return retired.Count == 0
            ? Decision.Nothing
            : new(followers.Count == 0 ? [new SetDesiredStates(retired) { At = now }]
                : [new SetDesiredStates(retired) { At = now }, new CreateTasks(followers) { At = now }]);
    }

    private static NewTask? Follower(ClusterState state, Service service, Slot slot, ServiceTask task, DateTimeOffset now, IdSource ids)
    {
        // Of several in a slot, as during an update that starts the new one first, the newest is followed: were each, the slot would stay crowded.
        if (slot.Live.Last().Id != task.Id || slot.ReliefOf(task) is not null || slot.SuccessorOf(service, task) is not null
            || (service.Spec.Mode.IsGlobal && !state.Nodes.ContainsKey(slot.Node)))
            return null;
        var relieved = slot.RelievedBy(task);
        if (relieved is not null && !Drains.DrainPlan.IsDrained(state, relieved))
            return null; // the one it was to relieve may stay after all

        // A task that was lost did not fail: there is nothing to back off from, and no attempt is used up.
        var failed = task.Status.State is not TaskState.Orphaned && task.Status.State.IsTerminal();
        if (failed ? !RestartRule.WantsAnother(task, slot, now) : !RestartRule.MayMove(task))
            return null;
        return slot.Replacement(
            service, ids.NextTask(), TaskState.Ready, failed ? now + RestartRule.Delay(task) : null, relieved is null ? null : task.Relief);
    }

    private static bool IsLost(ClusterState state, ServiceTask task) =>
        task.NodeId.Value is { Length: > 0 } && (!state.Nodes.TryGetValue(task.NodeId, out var node) || node.Status.State == NodeState.Down);
}
