using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary><c>/nodes</c>: the hosts of the cluster.</summary>
internal sealed class NodeApi(ClusterDoor door)
{
    internal void Map(ClusterRoutes router)
    {
        router.Map("GET", "/nodes", ListAsync);
        router.Map("GET", "/nodes/{id}", r => r.ReplyAsync(Shown(ClusterFind.Node(door.State, r.Argument("id")), door.Manager.Managers.View)));
        router.Map("POST", "/nodes/{id}/update", UpdateAsync);
        router.Map("DELETE", "/nodes/{id}", RemoveAsync);
    }

    internal static IReadOnlyList<Node> Filter(ClusterState state, ApiFilters filters)
    {
        filters.Check("membership", "accepted", "pending");
        filters.Check("role", "worker", "manager");
        return [.. state.Nodes.Values.Where(n =>
            filters.Any("id", id => n.Id.Value.StartsWith(id, StringComparison.Ordinal))
            && filters.Any("name", name => (n.Description?.Hostname ?? "").StartsWith(name, StringComparison.Ordinal))
            && filters.Labels("label", n.Description?.Engine.Labels ?? n.Spec.Labels)
            && filters.Labels("node.label", n.Spec.Labels)
            && filters.Any("role", role => role == (n.Spec.Role == NodeRole.Manager ? "manager" : "worker"))
            && filters.Any("membership", membership => membership == "accepted"))]; // nodes enter by token: none is ever pending
    }

    /// <summary>With how the manager fares, which the consensus knows and the state does not.</summary>
    internal static Node Shown(Node node, ManagersView view) => node.ManagerStatus is not { } status
        ? node
        : node with
        {
            ManagerStatus = status with
            {
                Member = null, // nobody's outside of the consensus
                Leader = view.Leader == node.Id,
                Reachability = view.Of(node.Id) switch
                {
                    { Reachable: true } => Reachability.Reachable,
                    { Reachable: false } => Reachability.Unreachable,
                    null => Reachability.Unknown, // it has not been admitted yet
                },
            },
        };

    private Task ListAsync(ApiRequest request)
    {
        var view = door.Manager.Managers.View;
        var found = Filter(door.State, request.Filters("id", "label", "membership", "name", "node.label", "role"));
        return request.ReplyAsync<IReadOnlyList<Node>>([.. found.Select(n => Shown(n, view))]);
    }

    private async Task UpdateAsync(ApiRequest request)
    {
        var version = request.Number("version");
        var spec = await request.WholeBodyAsync<NodeSpec>();
        var node = ClusterFind.Node(door.State, request.Argument("id"));
        await door.ProposeAsync(new UpdateNode(node.Id, version, spec) { At = door.Now }, request.Stop);
        await request.ReplyAsync(200);
    }

    private async Task RemoveAsync(ApiRequest request)
    {
        var node = ClusterFind.Node(door.State, request.Argument("id"));
        await door.ProposeAsync(new RemoveNode(node.Id, request.Flag("force")) { At = door.Now }, request.Stop);
        await request.ReplyAsync(200);
    }
}
