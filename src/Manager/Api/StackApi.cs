using Orchestrator.Manager.State;
using Orchestrator.Manager.State.Apply;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary><c>/orch/stacks</c>: services, networks, secrets and configs under one name, deployed in one log entry.</summary>
internal sealed class StackApi(ClusterDoor door)
{
    /// <summary>A stack brings its secrets' and configs' data with it, of which each alone may be a megabyte.</summary>
    private const long MostStackBytes = 32 << 20;

    internal void Map(ClusterRoutes router)
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
        var secrets = state.Secrets.Values.Select(s => Stack(s.Spec.Labels)).OfType<string>().CountBy(n => n).ToDictionary();
        var configs = state.Configs.Values.Select(c => Stack(c.Spec.Labels)).OfType<string>().CountBy(n => n).ToDictionary();
        return [.. services.Keys.Union(networks.Keys).Union(secrets.Keys).Union(configs.Keys).Order(StringComparer.Ordinal).Select(name => new StackSummary
        {
            Name = name,
            Services = services.GetValueOrDefault(name),
            Networks = networks.GetValueOrDefault(name),
            Secrets = secrets.GetValueOrDefault(name),
            Configs = configs.GetValueOrDefault(name),
        })];
    }

    /// <summary>The stack as it could be put again; secrets without their data, which stays as it is then.</summary>
    internal static StackSpec Inspect(ClusterState state, string name)
    {
        var spec = new StackSpec
        {
            Services = [.. ServicesOf(state, name).Select(s => s.Spec)],
            Secrets = [.. PayloadsOf(state.Secrets.Values, name).Select(s => PayloadApi.Masked(s).Spec)],
            Configs = [.. PayloadsOf(state.Configs.Values, name).Select(c => c.Spec)],
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
        return spec.Services.Count + spec.Networks.Count + spec.Secrets.Count + spec.Configs.Count > 0 ? spec : throw new ApiException(404, $"stack {name} not found");
    }

    private static string? Stack(IReadOnlyDictionary<string, string> labels) => labels.GetValueOrDefault(StackSpec.NamespaceLabel);

    private static IEnumerable<Service> ServicesOf(ClusterState state, string name) =>
        ClusterFind.VisibleServices(state).Where(s => Stack(s.Spec.Labels) == name);

    private static IEnumerable<Network> NetworksOf(ClusterState state, string name) =>
        state.Networks.Values.Where(n => Stack(n.Labels) == name);

    private static IEnumerable<T> PayloadsOf<T>(IEnumerable<T> all, string name) where T : StoredPayload => all.Where(p => Stack(p.Content.Labels) == name);

    private async Task DeployAsync(ApiRequest request)
    {
        var name = request.Argument("name");
        _ = door.Manager;
        request.BodyLimit = MostStackBytes;
        var spec = await request.WholeBodyAsync<StackSpec>();
        var deploy = new DeployStack(
            name,
            spec,
            [.. spec.Networks.Select(_ => new NetworkId(ClusterDoor.NewId()))],
            [.. spec.Services.Select(_ => new ServiceId(ClusterDoor.NewId()))])
        {
            At = door.Now,
            SecretIds = [.. spec.Secrets.Select(_ => ClusterDoor.NewId())],
            ConfigIds = [.. spec.Configs.Select(_ => ClusterDoor.NewId())],
        };
        await door.FreshAsync(request.Stop);
        var outcome = Unchanging(door.State, deploy) ?? await door.ProposeAsync(deploy, request.Stop);
        await request.ReplyAsync(outcome.Stack ?? new StackReply());
    }

    /// <summary>The outcome of a deploy that changes nothing, so that its data need not be written down again; null for any other.</summary>
    private static Outcome? Unchanging(ClusterState state, DeployStack deploy) =>
        Applying.Run(state, state.Index + 1, deploy) is { Outcome: { Refusal: null } outcome, Changes.IsEmpty: true } ? outcome : null;

    private async Task RemoveAsync(ApiRequest request)
    {
        var name = request.Argument("name");
        var state = door.State;
        Service[] services = [.. ServicesOf(state, name)];
        Network[] networks = [.. NetworksOf(state, name)];
        StoredPayload[] payloads = [.. PayloadsOf(state.Secrets.Values, name), .. PayloadsOf(state.Configs.Values, name)];
        if (services.Length + networks.Length + payloads.Length == 0)
            throw new ApiException(404, $"stack {name} not found");
        var changes = new List<StackChange>();
        foreach (var service in services)
        {
            await door.ProposeAsync(new RemoveService(service.Id) { At = door.Now }, request.Stop);
            changes.Add(new StackChange("service", service.Spec.Name, service.Id.Value, "removed"));
        }

        foreach (var payload in payloads)
        {
            Command remove = payload is Secret ? new RemoveSecret(payload.Id) { At = door.Now } : new RemoveConfig(payload.Id) { At = door.Now };
            await door.ProposeAsync(remove, request.Stop);
            changes.Add(new StackChange(payload.Noun, payload.Content.Name, payload.Id, "removed"));
        }

        foreach (var network in networks)
        {
            await door.ProposeAsync(new RemoveNetwork(network.Id) { At = door.Now }, request.Stop);
            changes.Add(new StackChange("network", network.Name, network.Id.Value, "removed"));
        }

        await request.ReplyAsync(new StackReply { Changes = changes });
    }
}
