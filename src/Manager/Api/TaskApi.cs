using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary><c>/tasks</c>: what runs, ran or waits for the cluster's services.</summary>
internal sealed class TaskApi(ClusterDoor door)
{
    private static readonly string[] KnownFilters = ["_up-to-date", "desired-state", "id", "label", "name", "node", "runtime", "service"];

    internal void Map(ClusterRoutes router)
    {
        router.Map("GET", "/tasks", ListAsync);
        router.Map("GET", "/tasks/{id}", InspectAsync);
    }

    internal static IReadOnlyList<ServiceTask> Filter(ClusterState state, ApiFilters filters, NodeId self)
    {
        filters.Check("desired-state", "running", "shutdown", "accepted", "ready", "complete", "remove");
        filters.Check("runtime", "container", "plugin");
        var upToDate = filters.Boolean("_up-to-date");
        HashSet<ServiceId> services = [.. filters["service"].SelectMany(s => ServicesNamed(state, s))];
        HashSet<NodeId> nodes = [.. filters["node"].SelectMany(n => NodesNamed(state, n, self))];
        return [.. state.Tasks.Values.Where(t =>
            filters.Any("id", id => t.Id.Value.StartsWith(id, StringComparison.Ordinal))
            && filters.Any("name", name => TaskText.Name(t).StartsWith(name, StringComparison.Ordinal))
            && (!filters.Has("service") || services.Contains(t.ServiceId))
            && (!filters.Has("node") || nodes.Contains(t.NodeId))
            && filters.All("label", label => ApiFilters.HasLabel(t.Labels, label) || ApiFilters.HasLabel(ServiceLabels(state, t), label))
            && filters.Any("desired-state", wanted => wanted == DesiredName(Desired(t)))
            && filters.Any("runtime", runtime => runtime == "container")
            && (upToDate is null || upToDate == IsUpToDate(state, t)))];
    }

    /// <summary>The task as the API shows it: with its container's spec, and with its networks joined in.</summary>
    internal static ServiceTask Shown(ClusterState state, ServiceTask task) => task with
    {
        DesiredState = Desired(task),

        // Swarm counts a replicated job's slots from 0, and so do stock clients; the name has the place as everywhere.
        Slot = task is { JobIteration: not null, Slot: > 0 } ? task.Slot - 1 : task.Slot,

        // Stock clients dereference it without looking.
        Spec = task.Spec.ContainerSpec is null ? task.Spec with { ContainerSpec = new ContainerSpec() } : task.Spec,
        NetworksAttachments =
        [
            .. task.NetworksAttachments.Select(a => a with { Network = a.Network ?? state.Networks.GetValueOrDefault(a.NetworkId) }),
        ],
    };

    /// <summary>A job's tasks are there to complete; in the state they run until they end, as all do.</summary>
    private static TaskState Desired(ServiceTask task) => task.JobIteration is not null
        && (task.DesiredState == TaskState.Running || (task.DesiredState == TaskState.Shutdown && task.Status.State == TaskState.Complete))
            ? TaskState.Complete
            : task.DesiredState;

    /// <summary>Made from the service's present task template.</summary>
    private static bool IsUpToDate(ClusterState state, ServiceTask task) =>
        state.Services.TryGetValue(task.ServiceId, out var service)
        && (ReferenceEquals(service.Spec.TaskTemplate, task.Spec) || ModelJson.Digest(service.Spec.TaskTemplate) == ModelJson.Digest(task.Spec));

    private static IReadOnlyDictionary<string, string> ServiceLabels(ClusterState state, ServiceTask task) =>
        state.Services.TryGetValue(task.ServiceId, out var service) ? service.Spec.Labels : new Dictionary<string, string>();

    private static string DesiredName(TaskState state) => state switch
    {
        TaskState.Accepted => "accepted",
        TaskState.Ready => "ready",
        TaskState.Running => "running",
        TaskState.Complete => "complete",
        TaskState.Remove => "remove",
        _ => state > TaskState.Running ? "shutdown" : "accepted",
    };

    private static IEnumerable<ServiceId> ServicesNamed(ClusterState state, string reference) =>
        state.Services.Values.Where(s => s.Id.Value == reference || s.Spec.Name == reference) is var exact && exact.Any()
            ? exact.Select(s => s.Id)
            : state.Services.Values.Where(s => s.Id.Value.StartsWith(reference, StringComparison.Ordinal)).Select(s => s.Id);

    private static IEnumerable<NodeId> NodesNamed(ClusterState state, string reference, NodeId self) => reference == "self"
        ? [self]
        : state.Nodes.Values
            .Where(n => n.Id.Value == reference || n.Description?.Hostname == reference || n.Id.Value.StartsWith(reference, StringComparison.Ordinal))
            .Select(n => n.Id);

    private Task ListAsync(ApiRequest request)
    {
        var manager = door.Manager;
        var state = manager.Cluster.Current;
        return request.ReplyAsync<IReadOnlyList<ServiceTask>>(
            [.. Filter(state, request.Filters(KnownFilters), manager.Self).Select(t => Shown(state, t))]);
    }

    private Task InspectAsync(ApiRequest request)
    {
        var state = door.State;
        return request.ReplyAsync(Shown(state, ClusterFind.Task(state, request.Argument("id"))));
    }
}
