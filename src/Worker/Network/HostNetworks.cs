using Microsoft.Extensions.Logging;

using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Network.Bridge;
using Orchestrator.Worker.Network.Dns;
using Orchestrator.Worker.Network.Plan;
using Orchestrator.Worker.Network.Ports;
using Orchestrator.Worker.Network.State;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Network;

/// <summary>
/// The host's networks. One thread, inside the host's network namespace, owns the state and talks to the kernel; what waits for the shim
/// does so between two turns of that thread.
/// </summary>
internal sealed partial class HostNetworks : INetworks, IAsyncDisposable
{
    private readonly NetworkOptions options;
    private readonly TimeProvider time;
    private readonly ILogger<HostNetworks> log;
    private readonly NamespaceThread thread = new("orch network");
    private readonly HostState state = new();
    private readonly NetworkStore store;
    private readonly LinkNames names;
    private readonly string netnsDirectory;
    private readonly DnsShimClient dns;
    private readonly PortShimClient ports;
    private WarmNamespaces warm;
    private BridgeKernel kernel;
    private Task publishing = Task.CompletedTask;

    private HostNetworks(NetworkOptions options, IShimCaller shim, TimeProvider time, ILogger<HostNetworks> log)
    {
        this.options = options;
        this.time = time;
        this.log = log;
        store = new NetworkStore(Path.Combine(options.DataRoot, "network"));
        names = new LinkNames(options.InstanceId);
        netnsDirectory = Path.Combine(options.ExecRoot, "netns");
        dns = new DnsShimClient(shim);
        ports = new PortShimClient(shim);
        // Both are set by OpenAsync before anybody else has the object.
        warm = null!;
        kernel = null!;
    }

    /// <summary>Opens the host's networks and reads what an earlier daemon left; <see cref="RecoverAsync"/> then compares that with the living.</summary>
    internal static async Task<HostNetworks> OpenAsync(NetworkOptions options, IShimCaller shim, TimeProvider time, ILogger<HostNetworks> log)
    {
        var opened = new HostNetworks(options, shim, time, log);
        try
        {
            await opened.thread.RunAsync(opened.Open);
        }
        catch
        {
            opened.thread.Dispose();
            throw;
        }

        opened.warm = new WarmNamespaces(options.WarmSandboxes, log);
        opened.publishing = opened.PublishAsync();
        return opened;
    }

    public Task<HostNetwork> EnsureNetworkAsync(HostNetwork network, CancellationToken stop) => thread.RunAsync(() => EnsureNetwork(network));

    public Task RemoveNetworkAsync(string id, CancellationToken stop) => thread.RunAsync(() => RemoveNetwork(id));

    public Task<IReadOnlyList<HostNetwork>> ListNetworksAsync(CancellationToken stop)
        => thread.RunAsync<IReadOnlyList<HostNetwork>>(() => [.. state.Networks.Values.Select(network => network.Network)]);

    public async ValueTask DisposeAsync()
    {
        publishRequests.Writer.TryComplete();
        await publishing;
        await warm.DisposeAsync();
        await thread.RunAsync(kernel.Dispose);
        thread.Dispose();
    }

    private void Open()
    {
        if (options.HostNetnsPath is { } host)
        {
            using var ns = Namespaces.Open(host);
            Namespaces.EnterNetwork(ns);
        }

        Directory.CreateDirectory(netnsDirectory);
        store.Open();
        kernel = new BridgeKernel(names);
    }

    private HostNetwork EnsureNetwork(HostNetwork network)
    {
        if (state.Networks.TryGetValue(network.Id, out var standing))
        {
            var same = standing.Network with { Subnets = network.Subnets, Mtu = network.Mtu } == network
                && (network.Subnets.IsEmpty || network.Subnets.SequenceEqual(standing.Network.Subnets));
            if (!same && state.Sandboxes.Values.Any(file => Uses(file, network.Id)))
                throw new NetworkException($"network {network.Name} is in use and stands with {standing.Subnet.Prefix}; it cannot be changed now");
            if (same && kernel.Links().Any(link => link.Name == standing.Bridge))
                return standing.Network;
            if (!same)
                RemoveNetwork(network.Id);
        }

        var bridge = names.Bridge(network.Id);
        var taken = TakenRanges(network.Id, bridge);
        if (SubnetPlan.Refuse(network, taken) is { } refusal)
            throw new NetworkException(refusal);
        if (network.Subnets.IsEmpty)
        {
            var chosen = SubnetPlan.Choose(taken) ?? throw new NetworkException($"network {network.Name}: every default subnet overlaps something on this host");
            network = network with { Subnets = [chosen] };
        }

        Stand(network);
        SaveNetworks();
        log.NetworkReady(network.Name, bridge, network.Subnets[0].Prefix.ToString());
        return network;
    }

    private void Stand(HostNetwork network)
    {
        EnableForwarding();
        var bridge = names.Bridge(network.Id);
        var mtu = network.Mtu ?? kernel.UplinkMtu();
        var index = kernel.EnsureBridge(bridge, network, mtu, state.ForwardingWasOff);
        var pool = state.Networks.TryGetValue(network.Id, out var before) ? before.Pool : new AddressPool(network.Subnets[0]);
        var first = state.Networks.Count == 0;
        state.Networks[network.Id] = new StandingNetwork(network, bridge, index, mtu, pool);
        if (first)
            Rebuild();
        else
            kernel.Apply(RuleSet.ReplaceNetworks(names, state.RuledNetworks));
        kernel.AdmitThroughForeignRules(log);
    }

    private void EnableForwarding()
    {
        if (!kernel.EnableForwarding() || state.ForwardingWasOff)
            return;
        state.ForwardingWasOff = true;
        log.ForwardingEnabled();
    }

    private void RemoveNetwork(string id)
    {
        if (!state.Networks.TryGetValue(id, out var standing))
            return;
        var users = state.Sandboxes.Values.Where(file => Uses(file, id)).Select(file => file.Request.Hostname).ToList();
        if (users.Count > 0)
            throw new NetworkException($"network {standing.Network.Name} has {users.Count} attached endpoint(s): {string.Join(", ", users.Take(5))}");
        state.Networks.Remove(id);
        kernel.Apply(RuleSet.ReplaceNetworks(names, state.RuledNetworks));
        kernel.DeleteLink(standing.Bridge);
        SaveNetworks();
    }

    /// <summary>The whole table anew, from what is known.</summary>
    private void Rebuild()
    {
        var want = state.WantedPorts();
        kernel.Apply(RuleSet.Rebuild(names, state.RuledNetworks, want));
        state.Forwarded = want;
    }

    private void SaveNetworks()
        => store.SaveNetworks(new NetworksFile([.. state.Networks.Values.Select(network => network.Network)], state.ForwardingWasOff));

    private List<TakenRange> TakenRanges(string networkId, string bridge)
    {
        var taken = state.Networks.Values.Where(other => other.Network.Id != networkId)
            .Select(other => new TakenRange(other.Subnet.Prefix, $"network {other.Network.Name} ({other.Subnet.Prefix})")).ToList();
        var links = kernel.Links().ToDictionary(link => link.Index, link => link.Name);
        foreach (var route in kernel.Routes())
        {
            var link = links.GetValueOrDefault(route.Link, "");
            if (route.Destination.PrefixLength > 0 && link != bridge)
                taken.Add(new TakenRange(route.Destination, $"the host's route {route.Destination}{(link.Length > 0 ? " on " + link : "")}"));
        }

        return taken;
    }

    private static bool Uses(SandboxFile file, string networkId) => file.Sandbox.Endpoints.Any(endpoint => endpoint.NetworkId == networkId);
}
