using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary>Finds the cluster's objects by whole id, name or unambiguous prefix, else 404 or 400.</summary>
internal static class ClusterFind
{
    internal static Node Node(ClusterState state, string reference) =>
        ObjectLookup.Find(state.Nodes.Values, reference, "node", n => n.Id.Value, n => n.Description?.Hostname);

    internal static Service Service(ClusterState state, string reference) =>
        ObjectLookup.Find(VisibleServices(state), reference, "service", s => s.Id.Value, s => s.Spec.Name);

    /// <summary>A task by id, or by <c>NAME.SLOT</c> when one such task is wanted to run, or by <c>NAME.SLOT.ID</c>.</summary>
    internal static ServiceTask Task(ClusterState state, string reference) =>
        ObjectLookup.TryFind(state.Tasks.Values, reference, "task", t => t.Id.Value, TaskText.Name)
        ?? ObjectLookup.Find(
            state.Tasks.Values.Where(t => t.DesiredState <= TaskState.Running), reference, "task", t => t.Id.Value, TaskText.ShortName);

    internal static Network? Network(IEnumerable<Network> networks, string reference) =>
        ObjectLookup.TryFind(networks, reference, "network", n => n.Id.Value, n => n.Name);

    /// <summary>A service whose tasks are being taken down is gone for whoever asks.</summary>
    internal static IEnumerable<Service> VisibleServices(ClusterState state) => state.Services.Values.Where(s => !s.PendingDelete);
}
