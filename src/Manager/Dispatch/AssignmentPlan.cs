using System.Collections.Immutable;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager.Dispatch;

/// <summary>What a session's node was last told.</summary>
internal sealed record Told(
    ulong Sequence, bool Complete, ImmutableDictionary<TaskId, ServiceTask> Tasks, ImmutableArray<Network> Networks, EndpointTable? Endpoints,
    ImmutableHashSet<string> Payloads, ImmutableArray<ManagerPeer> Managers, NodeRole? Role, ClusterSecurity? Security)
{
    internal static Told Nothing { get; } = new(0, false, ImmutableDictionary<TaskId, ServiceTask>.Empty, [], null, [], [], null, null);
}

/// <summary>The difference between what a node was told and what the state says of it.</summary>
internal static class AssignmentPlan
{
    /// <summary>The next message, or null when there is nothing to say. The first is a whole set.</summary>
    internal static (Assignments? Message, Told Told) Plan(ClusterState state, NodeId node, string session, Told told)
    {
        // A task that ended stays assigned while it is in the state: its container is kept for its logs until it is forgotten.
        var tasks = state.Tasks.Values.Where(t => t.NodeId == node && t.Status.State >= TaskState.Assigned).ToList();
        var changed = tasks.Where(t => !told.Tasks.TryGetValue(t.Id, out var before) || !SameForNode(before, t)).ToList();
        var removed = told.Tasks.Keys.Except(tasks.Select(t => t.Id)).Order().ToList();
        var networks = Networks(state, tasks);
        var networksChanged = !networks.AsEnumerable().SequenceEqual(told.Networks, ReferenceEqualityComparer.Instance);
        var endpoints = EndpointPlan.Plan(state, node, networks.Select(n => n.Id).ToHashSet());
        var endpointsChanged = told.Endpoints is null || !EndpointPlan.Same(told.Endpoints, endpoints);
        var payloads = PayloadPlan.Plan(state, tasks, told.Payloads);
        if (payloads.More)
            return PayloadsAlone(payloads, session, told);
        var first = !told.Complete;
        var managers = ManagerPeers.Of(state);
        var managersChanged = !managers.AsSpan().SequenceEqual(told.Managers.AsSpan());
        var role = Role(state, node) ?? told.Role;
        var roots = NewRoots(told.Security, state.Security);
        if (!first && changed.Count == 0 && removed.Count == 0 && !networksChanged && !endpointsChanged && payloads.IsEmpty
            && !managersChanged && role == told.Role && roots is null)
            return (null, told with { Security = state.Security });

        var message = new Assignments
        {
            SessionId = session,
            Sequence = told.Sequence + 1,
            Complete = first,
            Secrets = payloads.Secrets,
            Configs = payloads.Configs,
            RemovedPayloads = payloads.Removed,
            Tasks = [.. changed.Select(t => Assignment(state, t))],
            RemovedTasks = removed,
            Networks = first || networksChanged ? networks : null,
            Endpoints = endpointsChanged ? endpoints : null,
            Managers = managersChanged ? managers : null,
            Role = role == told.Role ? null : role,
            TrustedRoots = roots,
        };
        var known = told.Tasks.RemoveRange(removed).SetItems(changed.Select(t => KeyValuePair.Create(t.Id, t)));
        return (message, new(message.Sequence, true, known, networks, endpointsChanged ? endpoints : told.Endpoints, payloads.After(told.Payloads), managers, role, state.Security));
    }

    private static (Assignments, Told) PayloadsAlone(PayloadPlan payloads, string session, Told told)
    {
        var message = new Assignments
        {
            SessionId = session,
            Sequence = told.Sequence + 1,
            Partial = true,
            Secrets = payloads.Secrets,
            Configs = payloads.Configs,
            RemovedPayloads = payloads.Removed,
        };
        return (message, told with { Sequence = message.Sequence, Payloads = payloads.After(told.Payloads) });
    }

    /// <summary>A node's own reports are not sent back to it.</summary>
    private static bool SameForNode(ServiceTask before, ServiceTask now) =>
        before.DesiredState == now.DesiredState && ReferenceEquals(before.NetworksAttachments, now.NetworksAttachments);

    private static ImmutableArray<Network> Networks(ClusterState state, List<ServiceTask> tasks) =>
    [
        .. tasks.SelectMany(t => t.NetworksAttachments).Select(a => a.NetworkId).Distinct().Order()
            .Select(id => state.Networks.GetValueOrDefault(id) ?? state.LeavingNetworks.GetValueOrDefault(id)).OfType<Network>(),
    ];

    /// <summary>Null: as told. They are text that is put together at each call, so they are looked at only where the security is another record.</summary>
    private static string? NewRoots(ClusterSecurity? told, ClusterSecurity? now) =>
        !ReferenceEquals(told, now) && now?.TrustedRootsPem is { } roots && roots != told?.TrustedRootsPem ? roots : null;

    /// <summary>The role in force, which is not the role wanted (<see cref="NodeSpec.Role"/>).</summary>
    private static NodeRole? Role(ClusterState state, NodeId node) =>
        state.Nodes.TryGetValue(node, out var known) ? known.ManagerStatus is null ? NodeRole.Worker : NodeRole.Manager : null;

    private static TaskAssignment Assignment(ClusterState state, ServiceTask task) => new()
    {
        Task = task,
        ServiceLabels = state.Services.TryGetValue(task.ServiceId, out var service) ? service.Spec.Labels : new TaskAssignment { Task = task }.ServiceLabels,
    };
}
