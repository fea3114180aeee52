using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary><c>/services</c>: what the cluster shall run.</summary>
internal sealed class ServiceApi(ClusterDoor door)
{
    internal void Map(ClusterRoutes router)
    {
        router.Map("GET", "/services", ListAsync);
        router.Map("POST", "/services/create", CreateAsync);
        router.Map("GET", "/services/{id}", InspectAsync);
        router.Map("DELETE", "/services/{id}", RemoveAsync);
        router.Map("POST", "/services/{id}/update", UpdateAsync);
    }

    internal static IReadOnlyList<Service> Filter(ClusterState state, ApiFilters filters)
    {
        filters.Check("mode", "replicated", "global", "replicated-job", "global-job");
        filters.Check("runtime", "container", "plugin");
        return [.. ClusterFind.VisibleServices(state).Where(s =>
            filters.Any("id", id => s.Id.Value.StartsWith(id, StringComparison.Ordinal))
            && filters.Any("name", name => s.Spec.Name.StartsWith(name, StringComparison.Ordinal))
            && filters.Labels("label", s.Spec.Labels)
            && filters.Any("mode", mode => mode == ModeName(s.Spec.Mode))
            && filters.Any("runtime", runtime => runtime == "container"))];
    }

    internal static string ModeName(ServiceMode mode) => mode switch
    {
        { Global: not null } => "global",
        { ReplicatedJob: not null } => "replicated-job",
        { GlobalJob: not null } => "global-job",
        _ => "replicated",
    };

    /// <summary>The counts that <c>GET /services?status=true</c> joins in.</summary>
    internal static ServiceStatus Status(ClusterState state, Service service, IEnumerable<ServiceTask> tasks)
    {
        ulong running = 0, wanted = 0, completed = 0;
        tasks = [.. tasks.Where(t => t.JobIteration == service.JobStatus?.JobIteration)];
        foreach (var task in tasks)
        {
            if (task.DesiredState <= TaskState.Running)
                wanted++;
            if (task.Status.State == TaskState.Running && !IsLost(state, task))
                running++;
            if (task.Status.State == TaskState.Complete)
                completed++;
        }

        var mode = service.Spec.Mode;
        return new ServiceStatus
        {
            RunningTasks = running,
            DesiredTasks = mode switch
            {
                { Global: not null } => wanted,
                { GlobalJob: not null } => (ulong)tasks.Select(t => t.NodeId).Distinct().Count(),
                { ReplicatedJob: { } job } => job.MaxConcurrent ?? 1,
                _ => mode.Replicated?.Replicas ?? 1,
            },
            CompletedTasks = mode.IsJob ? completed : 0,
        };
    }

    /// <summary>What runs on a node that is down is not counted, though it may run on.</summary>
    private static bool IsLost(ClusterState state, ServiceTask task) =>
        state.Nodes.TryGetValue(task.NodeId, out var node) && node.Status.State == NodeState.Down;

    private Task ListAsync(ApiRequest request)
    {
        var state = door.State;
        var found = Filter(state, request.Filters("id", "label", "mode", "name", "runtime"));
        if (request.Flag("status"))
        {
            var tasks = state.Tasks.Values.ToLookup(t => t.ServiceId);
            found = [.. found.Select(s => s with { ServiceStatus = Status(state, s, tasks[s.Id]) })];
        }

        return request.ReplyAsync(found);
    }

    private Task InspectAsync(ApiRequest request)
    {
        var service = ClusterFind.Service(door.State, request.Argument("id"));
        return request.ReplyAsync(request.Flag("insertDefaults") ? service with { Spec = ServiceDefaults.Fill(service.Spec) } : service);
    }

    private async Task CreateAsync(ApiRequest request)
    {
        _ = door.Manager; // a node that is no manager says so before it judges the body
        var spec = await request.WholeBodyAsync<ServiceSpec>();
        var id = new ServiceId(ClusterDoor.NewId());
        await door.ProposeAsync(new CreateService(id, spec) { At = door.Now }, request.Stop);
        await request.ReplyAsync(new CreatedReply { Id = id.Value }, 201);
    }

    private async Task UpdateAsync(ApiRequest request)
    {
        var service = ClusterFind.Service(door.State, request.Argument("id"));
        var version = request.Number("version");
        var rollback = request.Query("rollback") switch
        {
            null or "" or "none" => false,
            "previous" => true,
            var other => throw new ApiException(400, $"query parameter 'rollback' must be 'previous', not '{other}'"),
        };
        var spec = await request.WholeBodyAsync<ServiceSpec>();
        await door.ProposeAsync(new UpdateService(service.Id, version, spec, rollback) { At = door.Now }, request.Stop);
        await request.ReplyAsync(new ServiceUpdateReply());
    }

    private async Task RemoveAsync(ApiRequest request)
    {
        var service = ClusterFind.Service(door.State, request.Argument("id"));
        await door.ProposeAsync(new RemoveService(service.Id) { At = door.Now }, request.Stop);
        await request.ReplyAsync(200);
    }
}
