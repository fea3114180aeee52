using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Restarts;

/// <summary>Retires tasks that ended or whose node can't keep them, and makes their followers, which wait as the policy says.</summary>
internal static class RestartPlan
{
    internal static Decision Plan(ClusterState state, DateTimeOffset now, IdSource ids)
    {
        var retired = new List<DesiredChange>();
        var followers = new List<NewTask>();
        foreach (var (service, slots) in Slot.All(state))
        {
            foreach (var slot in slots)
            {
                foreach (var task in slot.Live)
                {
                    var ended = task.Status.State.IsTerminal();
                    var evicted = !ended && IsEvicted(state, task);
                    if (!ended && !evicted)
                        continue;
                    retired.Add(new(task.Id, TaskState.Shutdown));
                    var global = service.Spec.Mode.Global is not null;
                    if ((evicted && global) || Successor(service, slot, task) || !RestartRule.WantsAnother(task, slot, now))
                        continue;

                    // A task that was moved did not fail: there is nothing to back off from.
                    var notBefore = ended ? now + RestartRule.Delay(task) : (DateTimeOffset?)null;
                    followers.Add(slot.Replacement(service, ids.NextTask(), TaskState.Ready, notBefore));
                }
            }
        }

        return retired.Count == 0
            ? Decision.Nothing
            : new(followers.Count == 0 ? [new SetDesiredStates(retired) { At = now }]
                : [new SetDesiredStates(retired) { At = now }, new CreateTasks(followers) { At = now }]);
    }

    /// <summary>An old task beside which an update already started the new one needs no other follower.</summary>
    private static bool Successor(Service service, Slot slot, ServiceTask task) =>
        !ReferenceEquals(task.Spec, service.Spec.TaskTemplate)
        && slot.Live.Any(t => t.Id != task.Id && ReferenceEquals(t.Spec, service.Spec.TaskTemplate));

    private static bool IsEvicted(ClusterState state, ServiceTask task)
    {
        if (task.NodeId.Value is not { Length: > 0 })
            return false;
        return !state.Nodes.TryGetValue(task.NodeId, out var node)
            || node.Status.State == NodeState.Down || node.Spec.Availability == NodeAvailability.Drain;
    }
}
