using Orchestrator.Manager.Scheduling.Filters;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Scheduling;

/// <summary>
/// Gives pending tasks their nodes: of those that pass every filter, the ones in the emptiest groups of the service's placement preferences, of these the
/// one with the fewest tasks of the service, then the fewest at all, then the first by id.
/// </summary>
internal static class SchedulePlan
{
    internal static Decision Plan(ClusterState state, DateTimeOffset now)
    {
        var waiting = state.Tasks.Values.Where(t => t.Status.State == TaskState.Pending && t.DesiredState <= TaskState.Running)
            .OrderBy(t => t.CreatedAt).ThenBy(t => t.ServiceId).ThenBy(t => t.Slot).ThenBy(t => t.Id).ToList();
        if (waiting.Count == 0)
            return Decision.Nothing;
        var candidates = Candidate.Of(state);
        var placed = new List<TaskPlacement>();
        var explained = new List<TaskExplanation>();
        foreach (var task in waiting)
        {
            var allowed = task.NodeId.Value is { Length: > 0 } ? candidates.Where(c => c.Node.Id == task.NodeId) : candidates;
            var refusals = new int[Filter.All.Length];
            var passing = allowed.Where(c => Passes(task, c, refusals)).ToList();
            var best = Spread.Emptiest(task, passing)
                .OrderBy(c => c.TasksOf(task.ServiceId)).ThenBy(c => c.Tasks).ThenBy(c => c.Node.Id).FirstOrDefault();
            if (best is not null)
            {
                best.Add(task);
                placed.Add(new(task.Id, best.Node.Id));
            }
            else if (Explain(task, refusals) is var reason && task.Status.Err != reason)
            {
                explained.Add(new(task.Id, reason));
            }
        }

        var commands = new List<Command>();
        if (placed.Count > 0)
            commands.Add(new PlaceTasks(placed) { At = now });
        if (explained.Count > 0)
            commands.Add(new ExplainTasks(explained) { At = now });
        return new(commands);
    }

    private static bool Passes(ServiceTask task, Candidate node, int[] refusals)
    {
        for (var i = 0; i < refusals.Length; i++)
        {
            if (Filter.All[i].Passes(task, node))
                continue;
            refusals[i]++;
            return false;
        }

        return true;
    }

    private static string Explain(ServiceTask task, int[] refusals)
    {
        var reasons = refusals.Select((count, i) => (count, i)).Where(r => r.count > 0)
            .OrderByDescending(r => r.count).ThenBy(r => r.i).Select(r => Filter.All[r.i].Explain(task, r.count)).ToList();
        return reasons.Count == 0 ? "no suitable node" : $"no suitable node ({string.Join("; ", reasons)})";
    }
}
