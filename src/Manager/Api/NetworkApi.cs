using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager.Api;

/// <summary><c>/networks</c>: the cluster's and this host's own, in one list.</summary>
internal sealed class NetworkApi(ClusterDoor door, IHostNetworks host)
{
    private static readonly string[] KnownFilters = ["dangling", "driver", "id", "label", "name", "scope", "type"];

    internal void Map(ClusterRoutes router)
    {
        router.Map("GET", "/networks", ListAsync);
        router.Map("POST", "/networks/create", CreateAsync);
        router.Map("POST", "/networks/prune", PruneAsync);
        router.Map("GET", "/networks/{id}", InspectAsync);
        router.Map("DELETE", "/networks/{id}", RemoveAsync);
        router.Map("POST", "/networks/{id}/connect", _ => throw NotYet("connecting a running container to a network"));
        router.Map("POST", "/networks/{id}/disconnect", _ => throw NotYet("disconnecting a running container from a network"));
    }

    internal static IReadOnlyList<Network> Filter(IEnumerable<Network> networks, ApiFilters filters, Func<Network, bool> isUsed)
    {
        filters.Check("scope", "local", "swarm", "global");
        filters.Check("type", "builtin", "custom");
        var dangling = filters.Boolean("dangling");
        return [.. networks.Where(n =>
            filters.Any("id", id => n.Id.Value.StartsWith(id, StringComparison.Ordinal))
            && filters.Any("name", name => n.Name.Contains(name, StringComparison.Ordinal))
            && filters.Any("driver", driver => driver == n.Driver)
            && filters.Any("scope", scope => scope == n.Scope)
            && filters.Any("type", type => type == (IsBuiltIn(n) ? "builtin" : "custom"))
            && filters.Labels("label", n.Labels)
            && (dangling is null || dangling == (!IsBuiltIn(n) && !isUsed(n))))];
    }

    /// <summary>A service or a task stands on it.</summary>
    internal static bool IsUsed(ClusterState state, NetworkId id) =>
        ClusterFind.VisibleServices(state).Any(s => s.Spec.TaskTemplate.Networks.Concat(s.Spec.Networks).Any(n => n.Target == id.Value))
        || state.Tasks.Values.Any(t => t.Status.State <= TaskState.Running && t.NetworksAttachments.Any(a => a.NetworkId == id));

    internal static bool IsBuiltIn(Network network) =>
        network is { Scope: "local", Name: "bridge" or "host" or "none" } || network.Ingress;

    private static ApiException NotYet(string what) => new(501, $"{what} is not there yet: name its networks when the container is created");

    private async Task<IReadOnlyList<Network>> AllAsync(CancellationToken stop) =>
        [.. door.StateOrNone?.Networks.Values ?? [], .. await host.ListAsync(stop)];

    private async Task<Network> FindAsync(string reference, string? scope, CancellationToken stop)
    {
        var all = await AllAsync(stop);
        return ClusterFind.Network(scope is null or "" ? all : all.Where(n => n.Scope == scope), reference)
            ?? (scope == "swarm" ? PredefinedNetworks.Find(reference) : null)
            ?? throw new ApiException(404, $"network {reference} not found");
    }

    private async Task ListAsync(ApiRequest request)
    {
        var filters = request.Filters(KnownFilters);
        var used = await UsedAsync(request.Stop);
        await request.ReplyAsync(Filter(await AllAsync(request.Stop), filters, n => used(n.Id)));
    }

    private async Task<Func<NetworkId, bool>> UsedAsync(CancellationToken stop)
    {
        var state = door.StateOrNone;
        var onHost = new HashSet<NetworkId>();
        foreach (var network in await host.ListAsync(stop))
        {
            if ((await host.ContainersAsync(network.Id, stop)).Count > 0)
                onHost.Add(network.Id);
        }

        return id => onHost.Contains(id) || (state is not null && IsUsed(state, id));
    }

    private async Task InspectAsync(ApiRequest request)
    {
        var network = await FindAsync(request.Argument("id"), request.Query("scope"), request.Stop);
        await request.ReplyAsync(network with { Containers = await host.ContainersAsync(network.Id, request.Stop) });
    }

    private async Task CreateAsync(ApiRequest request)
    {
        var wanted = await request.WholeBodyAsync<NetworkCreateRequest>();
        var ofCluster = wanted.Driver == "overlay" || wanted.Scope == "swarm";
        var state = ofCluster ? door.State : door.StateOrNone; // overlay: no manager is the first thing to say
        if (wanted.Name.Length == 0)
            throw new ApiException(400, "a network needs a name", [new Problem("Name", "a network needs a name")]);
        if ((state?.Networks.Values.Any(n => n.Name == wanted.Name) ?? false) || (await host.ListAsync(request.Stop)).Any(n => n.Name == wanted.Name))
            throw new ApiException(409, $"network with name {wanted.Name} already exists");
        var id = ofCluster ? new NetworkId(ClusterDoor.NewId()) : await host.CreateAsync(wanted, request.Stop);
        if (ofCluster)
            await door.ProposeAsync(new CreateNetwork(id, wanted) { At = door.Now }, request.Stop);
        await request.ReplyAsync(new NetworkCreateReply { Id = id.Value }, 201);
    }

    private async Task RemoveAsync(ApiRequest request)
    {
        await RemoveAsync(await FindAsync(request.Argument("id"), scope: null, request.Stop), request.Stop);
        await request.ReplyAsync(204);
    }

    private async Task RemoveAsync(Network network, CancellationToken stop)
    {
        if (network.Scope == "swarm")
            await door.ProposeAsync(new RemoveNetwork(network.Id) { At = door.Now }, stop);
        else if (IsBuiltIn(network))
            throw new ApiException(403, $"{network.Name} is a pre-defined network and cannot be removed");
        else
            await host.RemoveAsync(network.Id, stop);
    }

    private async Task PruneAsync(ApiRequest request)
    {
        var filters = request.Filters("label", "label!", "until");
        var until = filters["until"] is [var text] ? ApiTimes.Parse(text, door.Now) ?? throw new ApiException(400, $"invalid filter 'until={text}'") : (DateTimeOffset?)null;
        var used = await UsedAsync(request.Stop);
        var removed = new List<string>();
        foreach (var network in await AllAsync(request.Stop))
        {
            if (IsBuiltIn(network) || used(network.Id) || !filters.Labels("label", network.Labels) || network.Created > until
                || filters["label!"].Any(l => ApiFilters.HasLabel(network.Labels, l)))
            {
                continue;
            }

            await RemoveAsync(network, request.Stop);
            removed.Add(network.Name);
        }

        await request.ReplyAsync(new NetworkPruneReply { NetworksDeleted = removed });
    }
}
