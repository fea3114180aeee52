using Orchestrator.Manager.Orchestration.Dependencies;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Restarts;

/// <summary>Lets prepared tasks run when their delay is over, their slot's former task is gone, and the services they depend on are there.</summary>
internal static class StartPlan
{
    internal static Decision Plan(ClusterState state, DateTimeOffset now)
    {
        var start = new List<DesiredChange>();
        var explain = new List<TaskExplanation>();
        var gates = new Gates(state);
        DateTimeOffset? wake = null;
        foreach (var (service, slots) in Slot.All(state))
        {
            foreach (var slot in slots)
            {
                foreach (var task in slot.Live.Where(t => t.DesiredState == TaskState.Ready))
                {
                    if (task.NotBefore is { } due && due > now)
                        wake = Decision.Earlier(wake, due);
                    else if (gates.HoldsStart(service) is { } reason)
                        Explain(task, reason, explain);
                    else if (!slot.Tasks.Any(other => other.Id != task.Id && StillStops(state, other)))
                        start.Add(new(task.Id, TaskState.Running));
                }
            }
        }

        var commands = new List<Command>(2);
        if (start.Count > 0)
            commands.Add(new SetDesiredStates(start) { At = now });
        if (explain.Count > 0)
            commands.Add(new ExplainTasks(explain) { At = now });
        return new(commands, wake);
    }

    private static void Explain(ServiceTask task, string reason, List<TaskExplanation> explain)
    {
        if (task.Status.State == TaskState.Ready && task.Status.Err != reason)
            explain.Add(new(task.Id, reason));
    }

    /// <summary>The task was told to stop, may still run, and its node can still tell when it does not.</summary>
    private static bool StillStops(ClusterState state, ServiceTask task) =>
        task.DesiredState > TaskState.Running && task.Status.State is >= TaskState.Assigned and <= TaskState.Running
        && state.Nodes.TryGetValue(task.NodeId, out var node) && node.Status.State != NodeState.Down;
}
