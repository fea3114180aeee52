using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary><c>/orch/stacks</c>: services and networks under one name, deployed in one log entry.</summary>
internal sealed class StackApi(ClusterDoor door)
{
    internal void Map(ApiRouter router)
    {
        router.Map("GET", "/orch/stacks", r => r.ReplyAsync(List(door.State)));
        router.Map("GET", "/orch/stacks/{name}", r => r.ReplyAsync(Inspect(door.State, r.Argument("name"))));
        router.Map("PUT", "/orch/stacks/{name}", DeployAsync);
        router.Map("DELETE", "/orch/stacks/{name}", RemoveAsync);
    }

    internal static IReadOnlyList<StackSummary> List(ClusterState state)
    {
        var services = ClusterFind.VisibleServices(state).Select(s => Stack(s.Spec.Labels)).OfType<string>().CountBy(n => n).ToDictionary();
        var networks = state.Networks.Values.Select(n => Stack(n.Labels)).OfType<string>().CountBy(n => n).ToDictionary();
        return [.. services.Keys.Union(networks.Keys).Order(StringComparer.Ordinal).Select(name => new StackSummary
        {
            Name = name,
            Services = services.GetValueOrDefault(name),
            Networks = networks.GetValueOrDefault(name),
        })];
    }

    /// <summary>The stack as it could be put again.</summary>
    internal static StackSpec Inspect(ClusterState state, string name)
    {
        var spec = new StackSpec
        {
            Services = [.. ServicesOf(state, name).Select(s => s.Spec)],
            Networks = [.. NetworksOf(state, name).Select(n => new NetworkCreateRequest
            {
                Name = n.Name,
                Driver = n.Driver,
                Scope = n.Scope,
                Internal = n.Internal,
                Attachable = n.Attachable,
                Ipam = n.Ipam,
                EnableIpv4 = n.EnableIpv4,
                EnableIpv6 = n.EnableIpv6,
                Options = n.Options,
                Labels = n.Labels,
            })],
        };
        return spec.Services.Count + spec.Networks.Count > 0 ? spec : throw new ApiException(404, $"stack {name} not found");
    }

    private static string? Stack(IReadOnlyDictionary<string, string> labels) => labels.GetValueOrDefault(StackSpec.NamespaceLabel);

    private static IEnumerable<Service> ServicesOf(ClusterState state, string name) =>
        ClusterFind.VisibleServices(state).Where(s => Stack(s.Spec.Labels) == name);

    private static IEnumerable<Network> NetworksOf(ClusterState state, string name) =>
        state.Networks.Values.Where(n => Stack(n.Labels) == name);

    private async Task DeployAsync(ApiRequest request)
    {
        var name = request.Argument("name");
        _ = door.Manager;
        var spec = await request.WholeBodyAsync<StackSpec>();
        var outcome = await door.ProposeAsync(
            new DeployStack(
                name,
                spec,
                [.. spec.Networks.Select(_ => new NetworkId(ClusterDoor.NewId()))],
                [.. spec.Services.Select(_ => new ServiceId(ClusterDoor.NewId()))])
            {
                At = door.Now,
            },
            request.Stop);
        await request.ReplyAsync(outcome.Stack ?? new StackReply());
    }

    private async Task RemoveAsync(ApiRequest request)
    {
        var name = request.Argument("name");
        var state = door.State;
        Service[] services = [.. ServicesOf(state, name)];
        Network[] networks = [.. NetworksOf(state, name)];
        if (services.Length + networks.Length == 0)
            throw new ApiException(404, $"stack {name} not found");
        var changes = new List<StackChange>();
        foreach (var service in services)
        {
            await door.ProposeAsync(new RemoveService(service.Id) { At = door.Now }, request.Stop);
            changes.Add(new StackChange("service", service.Spec.Name, service.Id.Value, "removed"));
        }

        foreach (var network in networks)
        {
            await door.ProposeAsync(new RemoveNetwork(network.Id) { At = door.Now }, request.Stop);
            changes.Add(new StackChange("network", network.Name, network.Id.Value, "removed"));
        }

        await request.ReplyAsync(new StackReply { Changes = changes });
    }
}
