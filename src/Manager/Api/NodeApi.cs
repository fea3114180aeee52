using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary><c>/nodes</c>: the hosts of the cluster.</summary>
internal sealed class NodeApi(ClusterDoor door)
{
    internal void Map(ApiRouter router)
    {
        router.Map("GET", "/nodes", ListAsync);
        router.Map("GET", "/nodes/{id}", r => r.ReplyAsync(ClusterFind.Node(door.State, r.Argument("id"))));
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

    private Task ListAsync(ApiRequest request) =>
        request.ReplyAsync(Filter(door.State, request.Filters("id", "label", "membership", "name", "node.label", "role")));

    private async Task UpdateAsync(ApiRequest request)
    {
        var version = request.Number("version");
        var spec = await request.WholeBodyAsync<NodeSpec>();
        var node = ClusterFind.Node(door.State, request.Argument("id"));
        if (spec.Role != node.Spec.Role)
            throw new ApiException(501, "promoting and demoting nodes is not there yet: this version of orch runs clusters of one node");
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
