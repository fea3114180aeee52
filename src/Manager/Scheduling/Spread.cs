using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Scheduling;

/// <summary>Placement preferences: nodes are grouped by the value of a label, and the groups get the same number of the service's tasks, however many nodes they have.</summary>
/// <remarks>As in Swarm: nodes without the label are a group too, the second preference spreads inside the groups of the first, and only nodes that may take the task count.</remarks>
internal static class Spread
{
    internal static IReadOnlyList<Candidate> Emptiest(ServiceTask task, IReadOnlyList<Candidate> candidates)
    {
        foreach (var preference in task.Spec.Placement?.Preferences ?? [])
        {
            if (candidates.Count < 2 || preference.Spread?.SpreadDescriptor is not { } key)
                continue;
            candidates = candidates.GroupBy(c => SpreadOver.Value(key, c.Node), StringComparer.Ordinal)
                .Select(g => (g.Key, Nodes: g.ToList()))
                .OrderBy(g => g.Nodes.Sum(c => c.TasksOf(task.ServiceId))).ThenBy(g => g.Nodes.Min(c => c.Tasks)).ThenBy(g => g.Key, StringComparer.Ordinal)
                .First().Nodes;
        }

        return candidates;
    }
}
