using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;

using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Network.Bridge;
using Orchestrator.Worker.Network.Dns;
using Orchestrator.Worker.Network.Plan;
using Orchestrator.Worker.Network.Ports;
using Orchestrator.Worker.Network.State;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Network;

internal sealed partial class HostNetworks
{
    public async Task<Sandbox> AttachAsync(SandboxRequest request, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        using var ns = request.OwnerPath is { } owner ? await warm.MakeAsync(() => options.MakeOwned(owner)) : await warm.TakeAsync();
        var (endpoints, listen) = await thread.RunAsync(() => Reserve(request, ns));
        try
        {
            // The resolver's sockets are made by the shim while the interfaces are made here.
            var listening = dns.ListenAsync(listen, stop);
            SandboxFile file;
            try
            {
                var bound = await HoldPortsAsync(request, stop);
                file = await thread.RunAsync(() => Build(request, endpoints, bound, ns));
            }
            catch
            {
                // The undoing below must find the listener made or refused, not on its way.
                await Task.WhenAny(listening);
                throw;
            }

            var port = await listening;
            if (port != ns.DnsPort)
                throw new NetworkException($"container {request.Hostname}: the resolver could not listen on port {ns.DnsPort} of an empty namespace");
            await thread.RunAsync(() => Commit(file));
            if (request.Endpoints.Any(endpoint => !endpoint.Aliases.IsEmpty))
                await PublishNowAsync(table: null, stop);
            return file.Sandbox;
        }
        catch (Exception error)
        {
            await UndoAsync(request, endpoints, error);
            if (error is ShimException)
                throw new NetworkException($"container {request.Hostname}: {error.Message}", error);
            throw;
        }
    }

    public async Task DetachAsync(string sandboxId, CancellationToken stop)
    {
        var file = await thread.RunAsync(() => state.Sandboxes.TryGetValue(sandboxId, out var found) && state.Busy.Add(sandboxId) ? found : null);
        if (file is null)
            return;
        try
        {
            await TakeDownAsync(file.Request, file.Sandbox.Endpoints, stop);
        }
        catch (ShimException error)
        {
            throw new NetworkException($"container {file.Request.Hostname}: leaving its networks: {error.Message}", error);
        }
        finally
        {
            await thread.RunAsync(() => state.Busy.Remove(sandboxId));
        }
    }

    public Task<IReadOnlyDictionary<string, Sandbox>> ListSandboxesAsync(CancellationToken stop)
        => thread.RunAsync<IReadOnlyDictionary<string, Sandbox>>(
            () => state.Sandboxes.ToDictionary(file => file.Key, file => file.Value.Sandbox, StringComparer.Ordinal));

    /// <summary>Everything that needs a decision: addresses are taken and the namespace has its name when this returns.</summary>
    private (ImmutableArray<EndpointInfo> Endpoints, DnsListen Listen) Reserve(SandboxRequest request, SandboxNamespace ns)
    {
        if (state.Sandboxes.ContainsKey(request.Id) || !state.Busy.Add(request.Id))
            throw new NetworkException($"container {request.Hostname} ({HostState.Short(request.Id)}) has a sandbox already");
        var pools = new Dictionary<string, AddressPool>(StringComparer.Ordinal);
        try
        {
            CheckPorts(request);
            var endpoints = ImmutableArray.CreateBuilder<EndpointInfo>();
            foreach (var wanted in request.Endpoints)
            {
                if (!state.Networks.TryGetValue(wanted.NetworkId, out var network))
                    throw new NetworkException($"container {request.Hostname}: network {wanted.NetworkId} does not exist on this host");
                if (!pools.TryAdd(wanted.NetworkId, network.Pool))
                    throw new NetworkException($"container {request.Hostname}: network {network.Network.Name} is named twice");
                var (pool, address) = Take(request, wanted, network);
                pools[wanted.NetworkId] = pool;
                endpoints.Add(new EndpointInfo
                {
                    NetworkId = wanted.NetworkId,
                    InterfaceName = $"eth{endpoints.Count}",
                    Address = address,
                    PrefixLength = network.Subnet.Prefix.PrefixLength,
                    Gateway = network.Subnet.Gateway,
                    Mac = wanted.Mac ?? LinkNames.Mac(address),
                });
            }

            var listen = Listen(request, ns.DnsPort);
            Namespaces.Pin(ns.Handle, NetnsPath(request.Id));
            state.Pending[request.Id] = (listen, null);
            foreach (var (id, pool) in pools)
                state.Networks[id] = state.Networks[id] with { Pool = pool };
            return (endpoints.ToImmutable(), listen);
        }
        catch
        {
            state.Busy.Remove(request.Id);
            throw;
        }
    }

    private (AddressPool Pool, IPAddress Address) Take(SandboxRequest request, EndpointRequest wanted, StandingNetwork network)
    {
        if (wanted.Address is not { } address)
        {
            return network.Pool.Allocate()
                ?? throw new NetworkException($"network {network.Network.Name} has no free address left in {network.Subnet.Prefix}");
        }

        if (address.AddressFamily != AddressFamily.InterNetwork || !network.Pool.Contains(address))
            throw new NetworkException($"container {request.Hostname}: address {address} is not a host address of {network.Subnet.Prefix} (network {network.Network.Name})");
        if (address.Equals(network.Subnet.Gateway))
            throw new NetworkException($"container {request.Hostname}: address {address} is the gateway of network {network.Network.Name}");
        if (network.Pool.IsUsed(address))
            throw new NetworkException($"address {address} of network {network.Network.Name} is in use by {state.Holder(network.Network.Id, address)}");
        return (network.Pool.Reserve(address), address);
    }

    private void CheckPorts(SandboxRequest request)
    {
        if (request.HostPorts.IsEmpty)
            return;
        if (request.Endpoints.IsEmpty)
            throw new NetworkException($"container {request.Hostname}: ports cannot be published without a network");
        foreach (var port in request.HostPorts)
        {
            if (port.Protocol is not (PortProtocol.Tcp or PortProtocol.Udp))
                throw new NetworkException($"container {request.Hostname}: port {port.HostPort}: sctp is not supported, tcp and udp are");
            if (port.HostIp is { AddressFamily: not AddressFamily.InterNetwork })
                throw new NetworkException($"container {request.Hostname}: host address {port.HostIp}: publishing on an IPv6 address is not supported yet");
            if (!port.IsRange && state.PublishedBy(port.Protocol, port.HostIp, port.HostPort) is { } reason)
                throw new NetworkException(reason);
        }
    }

    private async Task<ImmutableArray<BoundPort>> HoldPortsAsync(SandboxRequest request, CancellationToken stop)
    {
        if (request.HostPorts.IsEmpty)
            return [];
        var refused = new HashSet<HeldPort>();
        PortHeld held;
        while (true)
        {
            var wanted = await thread.RunAsync(() => PortChoice.Of(
                request.HostPorts, port => refused.Contains(port) || state.PublishedBy(port.Protocol, port.HostIp, port.Port) is not null));
            held = await ports.HoldAsync(new PortHold(request.Id, wanted), stop);
            if (held.Taken.IsEmpty)
                break;
            var lost = request.HostPorts.Zip(wanted).Where(pair => !pair.First.IsRange && held.Taken.Contains(pair.Second)).Select(pair => pair.Second).ToList();
            if (lost.Count > 0)
                throw new NetworkException(string.Join("; ", await thread.RunAsync(() => lost.Select(Explain).ToList())));
            refused.UnionWith(held.Taken);
        }

        await thread.RunAsync(() => state.Pending[request.Id] = (state.Pending[request.Id].Listen, new PortHold(request.Id, held.Ports)));
        return [.. request.HostPorts.Zip(held.Ports, (wanted, got) => new BoundPort(wanted.Protocol, wanted.HostIp, got.Port, wanted.ContainerPort))];
    }

    private SandboxFile Build(SandboxRequest request, ImmutableArray<EndpointInfo> endpoints, ImmutableArray<BoundPort> bound, SandboxNamespace ns)
    {
        for (var i = 0; i < endpoints.Length; i++)
        {
            var network = state.Networks[endpoints[i].NetworkId];
            kernel.CreateVeth(names.Veth(request.Id, i), network.BridgeIndex, endpoints[i].InterfaceName, ns.Handle, endpoints[i].Mac, network.Mtu);
        }

        var gateway = endpoints.FirstOrDefault(endpoint => !state.Networks[endpoint.NetworkId].Network.Internal)?.Gateway;
        if (!endpoints.IsEmpty)
            ns.Configure([.. endpoints.Select(endpoint => new SandboxInterface(endpoint.InterfaceName, endpoint.Address, endpoint.PrefixLength))], gateway);
        var sandbox = new Sandbox
        {
            NetnsPath = NetnsPath(request.Id),
            Endpoints = endpoints,
            Ports = bound,
            ResolvConf = ResolvConf(request),
        };
        return new SandboxFile(request, sandbox, ns.DnsPort);
    }

    private void Commit(SandboxFile file)
    {
        state.Pending.Remove(file.Request.Id);
        state.Sandboxes.Add(file.Request.Id, file);
        if (!file.Sandbox.Ports.IsEmpty)
            ApplyPorts();
        store.SaveSandbox(file);
        state.Busy.Remove(file.Request.Id);
    }

    private void ApplyPorts()
    {
        var want = state.WantedPorts();
        var plan = PortPlan.Diff(state.Forwarded, want);
        if (plan.IsEmpty)
            return;
        kernel.Apply(RuleSet.Change(names, plan, state.Forwarded));
        foreach (var (port, gone) in plan.ChangedUdp(state.Forwarded, want))
            kernel.ForgetFlows(port, gone);
        state.Forwarded = want;
    }

    private async Task UndoAsync(SandboxRequest request, ImmutableArray<EndpointInfo> endpoints, Exception error)
    {
        try
        {
            await TakeDownAsync(request, endpoints, CancellationToken.None);
        }
        catch (Exception undo) when (undo is IOException or ShimException)
        {
            throw new NetworkException(
                $"container {request.Hostname}: {error.Message}; and undoing it failed: {undo.Message}", new AggregateException(error, undo));
        }
        finally
        {
            await thread.RunAsync(() =>
            {
                state.Pending.Remove(request.Id);
                state.Busy.Remove(request.Id);
            });
        }
    }

    /// <summary>
    /// The links go with the namespace, asynchronously and many at once: deleting one costs 20 ms of everybody's rtnl lock.
    /// </summary>
    private async Task TakeDownAsync(SandboxRequest request, ImmutableArray<EndpointInfo> endpoints, CancellationToken stop)
    {
        await thread.RunAsync(() =>
        {
            if (state.Sandboxes.Remove(request.Id, out var file) && !file.Sandbox.Ports.IsEmpty)
                ApplyPorts();
            Namespaces.Unpin(NetnsPath(request.Id));
            store.DeleteSandbox(request.Id);
            foreach (var endpoint in endpoints)
            {
                if (state.Networks.TryGetValue(endpoint.NetworkId, out var network))
                    state.Networks[endpoint.NetworkId] = network with { Pool = network.Pool.Release(endpoint.Address) };
            }
        });
        await dns.ForgetAsync(request.Id, stop);
        if (!request.HostPorts.IsEmpty)
            await ports.ReleaseAsync(request.Id, ports: null, stop);
        if (request.Endpoints.Any(endpoint => !endpoint.Aliases.IsEmpty))
            await PublishNowAsync(table: null, stop);
    }

    private DnsListen Listen(SandboxRequest request, int port) => new()
    {
        SandboxId = request.Id,
        NetnsPath = NetnsPath(request.Id),
        Port = port,
        Networks = [.. request.Endpoints.Select(endpoint => endpoint.NetworkId)],
        Upstreams = [.. request.DnsServers.Select(server => IPAddress.TryParse(server, out var address)
            ? address
            : throw new NetworkException($"container {request.Hostname}: DNS server '{server}' is not an address"))],
        Forward = request.Endpoints.IsEmpty || request.Endpoints.Any(
            endpoint => state.Networks.TryGetValue(endpoint.NetworkId, out var network) && !network.Network.Internal),
    };

    private static string ResolvConf(SandboxRequest request)
    {
        var text = new StringBuilder("nameserver 127.0.0.11\n");
        if (!request.DnsSearch.IsEmpty)
            text.Append("search ").AppendJoin(' ', request.DnsSearch).Append('\n');
        var dnsOptions = request.DnsOptions.Any(option => option.StartsWith("ndots:", StringComparison.Ordinal))
            ? request.DnsOptions
            : request.DnsOptions.Add("ndots:0");
        return text.Append("options ").AppendJoin(' ', dnsOptions).Append('\n').ToString();
    }

    private string NetnsPath(string id) => Path.Combine(netnsDirectory, id);
}
