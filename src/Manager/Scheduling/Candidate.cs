using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Scheduling;

/// <summary>A node while tasks are being placed: what it has left and what runs there.</summary>
internal sealed class Candidate(Node node)
{
    private readonly Dictionary<ServiceId, int> byService = [];
    private readonly HashSet<(string Protocol, int Port)> hostPorts = [];

    internal Node Node { get; } = node;
    internal long FreeNanoCpus { get; private set; } = node.Description?.Resources.NanoCpus ?? 0;
    internal long FreeMemory { get; private set; } = node.Description?.Resources.MemoryBytes ?? 0;

    /// <summary>Tasks meant to run here.</summary>
    internal int Tasks { get; private set; }

    internal int TasksOf(ServiceId service) => byService.GetValueOrDefault(service);

    internal bool HasHostPort(PortConfig port) => hostPorts.Contains((port.Protocol, port.PublishedPort));

    /// <summary>Counts a task. One that was told to stop holds its resources until it has ended, but no longer counts in the spread.</summary>
    internal void Add(ServiceTask task)
    {
        var reserved = task.Spec.Resources?.Reservations ?? new();
        FreeNanoCpus -= reserved.NanoCpus;
        FreeMemory -= reserved.MemoryBytes;
        foreach (var port in task.HostPorts)
            hostPorts.Add((port.Protocol, port.PublishedPort));
        if (task.DesiredState > TaskState.Running)
            return;
        Tasks++;
        byService[task.ServiceId] = TasksOf(task.ServiceId) + 1;
    }

    internal static List<Candidate> Of(ClusterState state)
    {
        var candidates = state.Nodes.Values.Select(n => new Candidate(n)).ToList();
        var byId = candidates.ToDictionary(c => c.Node.Id);
        foreach (var task in state.Tasks.Values)
        {
            if (task.Status.State is >= TaskState.Assigned and <= TaskState.Running && byId.TryGetValue(task.NodeId, out var candidate))
                candidate.Add(task);
        }

        return candidates;
    }
}
