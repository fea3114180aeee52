using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Restarts;

/// <summary>Lets prepared tasks run when their delay is over and their slot's former task is gone.</summary>
internal static class StartPlan
{
    internal static Decision Plan(ClusterState state, DateTimeOffset now)
    {
        var start = new List<DesiredChange>();
        DateTimeOffset? wake = null;
        foreach (var (_, slots) in Slot.All(state))
        {
            foreach (var slot in slots)
            {
                foreach (var task in slot.Live.Where(t => t.DesiredState == TaskState.Ready))
                {
                    if (task.NotBefore is { } due && due > now)
                        wake = Decision.Earlier(wake, due);
                    else if (!slot.Tasks.Any(other => other.Id != task.Id && StillStops(state, other)))
                        start.Add(new(task.Id, TaskState.Running));
                }
            }
        }

        return new(start.Count == 0 ? [] : [new SetDesiredStates(start) { At = now }], wake);
    }

    /// <summary>The task was told to stop, may still run, and its node can still tell when it does not.</summary>
    private static bool StillStops(ClusterState state, ServiceTask task) =>
        task.DesiredState > TaskState.Running && task.Status.State is >= TaskState.Assigned and <= TaskState.Running
        && state.Nodes.TryGetValue(task.NodeId, out var node) && node.Status.State != NodeState.Down;
}
