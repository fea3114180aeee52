using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Simulation.Control;

/// <summary>What may never be seen, whatever happens.</summary>
internal sealed class Invariants
{
    private readonly Dictionary<ServiceId, ulong> most = [];
    private readonly HashSet<ServiceId> everRan = [];
    private readonly HashSet<(NodeId Node, string Payload)> needed = [];
    private readonly HashSet<string> removedSecrets = new(StringComparer.Ordinal);
    private ClusterState before = ClusterState.Empty;

    internal void Check(ClusterState now, IReadOnlyList<SimulatedAgent> agents)
    {
        NoSecretOfAnothersTask(now, agents);
        if (ReferenceEquals(now, before))
            return;
        if (now.Index < before.Index)
            throw new InvalidOperationException($"the state went back from {before.Index} to {now.Index}");
        StatesOnlyGrow(now);
        NoAddressTwice(now);
        NoPortTwice(now);
        NeverTooMany(now);
        DependantsComeAfter(now);
        RunningContainersHaveTheirOwnAddresses(agents);
        before = now;
    }

    /// <summary>After a manager's crash the last acknowledged state is the newest on disk, not the newest seen.</summary>
    internal void Forget() => before = ClusterState.Empty;

    /// <summary>A node has the secrets of tasks that were its own, and a task never comes to its node without the secrets that exist.</summary>
    private void NoSecretOfAnothersTask(ClusterState now, IReadOnlyList<SimulatedAgent> agents)
    {
        if (!ReferenceEquals(now, before))
        {
            foreach (var task in now.Tasks.Values.Where(t => t.NodeId.Value.Length > 0 && t.Status.State >= TaskState.Assigned))
                needed.UnionWith(task.Spec.ContainerSpec!.Secrets.Select(s => (task.NodeId, s.SecretId)));
            removedSecrets.UnionWith(before.Secrets.Keys.Except(now.Secrets.Keys));
        }

        foreach (var agent in agents)
        {
            if (agent.Payloads.FirstOrDefault(p => !needed.Contains((agent.Node, p))) is { } stray)
                throw new InvalidOperationException($"{agent.Node} was given secret {stray}, which none of its tasks needs");
            var lacking = agent.MissingSecrets.FirstOrDefault(m => !removedSecrets.Contains(m.Secret));
            if (lacking.Secret is not null)
                throw new InvalidOperationException($"task {lacking.Task} came to {agent.Node} without its secret {lacking.Secret}");
        }
    }

    private void StatesOnlyGrow(ClusterState now)
    {
        foreach (var (id, old) in before.Tasks)
        {
            if (now.Tasks.TryGetValue(id, out var task) && (task.Status.State < old.Status.State || task.DesiredState < old.DesiredState))
                throw new InvalidOperationException($"task {id} went from {old.Status.State}/{old.DesiredState} to {task.Status.State}/{task.DesiredState}");
            if (task is not null && old.NodeId.Value is { Length: > 0 } && task.NodeId != old.NodeId)
                throw new InvalidOperationException($"task {id} moved from {old.NodeId} to {task.NodeId}");
        }
    }

    private static void NoAddressTwice(ClusterState now)
    {
        var seen = new Dictionary<(NetworkId, string), TaskId>();
        foreach (var task in now.Tasks.Values.Where(t => t.DesiredState <= TaskState.Running || t.Status.State is >= TaskState.Assigned and <= TaskState.Running))
        {
            foreach (var attachment in task.NetworksAttachments)
            {
                if (!seen.TryAdd((attachment.NetworkId, attachment.Addresses[0]), task.Id))
                    throw new InvalidOperationException($"address {attachment.Addresses[0]} belongs to tasks {seen[(attachment.NetworkId, attachment.Addresses[0])]} and {task.Id}");
            }
        }
    }

    private static void RunningContainersHaveTheirOwnAddresses(IEnumerable<SimulatedAgent> agents)
    {
        var seen = new HashSet<(NetworkId, string)>();
        foreach (var attachment in agents.SelectMany(a => a.Running).SelectMany(t => t.NetworksAttachments))
        {
            if (!seen.Add((attachment.NetworkId, attachment.Addresses[0])))
                throw new InvalidOperationException($"two containers that run have address {attachment.Addresses[0]}");
        }
    }

    private static void NoPortTwice(ClusterState now)
    {
        var seen = new HashSet<(string, int)>();
        foreach (var port in now.Services.Values.Where(s => !s.PendingDelete).SelectMany(s => s.Endpoint.Ports).Where(p => p.PublishMode == "ingress"))
        {
            if (!seen.Add((port.Protocol, port.PublishedPort)))
                throw new InvalidOperationException($"port {port.PublishedPort} is published twice");
        }
    }

    /// <summary>No task may run before the service that it waits for once did. Which runs at a moment is the nodes' affair, so more cannot be asked of every one.</summary>
    private void DependantsComeAfter(ClusterState now)
    {
        foreach (var task in now.Tasks.Values.Where(t => t.Status.State == TaskState.Running || t.Status is { State: TaskState.Starting, ContainerStatus: not null }))
            everRan.Add(task.ServiceId);
        foreach (var service in now.Services.Values.Where(s => s.Spec.Orch is not null))
        {
            foreach (var need in service.Spec.Orch!.DependsOn.Where(d => !d.Optional && d.Condition == DependencyCondition.Healthy))
            {
                var other = now.Services.Values.FirstOrDefault(s => s.Spec.Name == need.Service);
                var early = now.Tasks.Values.FirstOrDefault(t => t.ServiceId == service.Id && t.DesiredState == TaskState.Running);
                if (other is not null && early is not null && !everRan.Contains(other.Id))
                    throw new InvalidOperationException($"task {early.Id} of {service.Spec.Name} is to run before {other.Spec.Name} ever ran");
            }
        }
    }

    private void NeverTooMany(ClusterState now)
    {
        foreach (var service in now.Services.Values)
        {
            // A task that relieves one of a drained node stands beside it until it runs.
            var live = now.Tasks.Values.Where(t => t.ServiceId == service.Id && t.DesiredState <= TaskState.Running && t.Relief is null)
                .GroupBy(t => (t.Slot, Node: service.Spec.Mode.Global is null ? default : t.NodeId)).ToList();
            var perSlot = service.Spec.UpdateConfig?.Order == "start-first" || service.PreviousSpec?.UpdateConfig?.Order == "start-first" ? 3 : 1;
            if (live.FirstOrDefault(s => s.Count() > perSlot) is { } crowded)
                throw new InvalidOperationException($"service {service.Spec.Name} has {crowded.Count()} live tasks in slot {crowded.Key}");
            if (service.Spec.Mode.Replicated is not { Replicas: { } replicas })
                continue;

            // A lowered number is obeyed in the turn after it, so the most ever asked for is the bound of every moment.
            most[service.Id] = Math.Max(replicas, most.GetValueOrDefault(service.Id));
            if ((ulong)live.Count > most[service.Id])
                throw new InvalidOperationException($"service {service.Spec.Name} has {live.Count} slots for {replicas} replicas");
        }
    }
}
