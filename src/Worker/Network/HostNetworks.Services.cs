using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;

using Orchestrator.Worker.Network.Dns;
using Orchestrator.Worker.Network.Plan;
using Orchestrator.Worker.Network.Ports;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Network;

internal sealed partial class HostNetworks
{
    private const string ServicesOwner = "services";

    private readonly Channel<PublishRequest> publishRequests = Channel.CreateUnbounded<PublishRequest>(new() { SingleReader = true });

    private sealed record PublishRequest(ServiceTable? Table, TaskCompletionSource<ServiceTableResult> Done);

    public Task<ServiceTableResult> ApplyServicesAsync(ServiceTable table, CancellationToken stop) => PublishNowAsync(table, stop);

    public Task<IReadOnlyList<PortInUse>> FindPortsInUseAsync(ImmutableArray<PortRequest> wanted, CancellationToken stop)
        => thread.RunAsync<IReadOnlyList<PortInUse>>(() =>
        {
            var bound = SocketTable.Read();
            return [.. wanted.Where(port => port.HostPort != 0)
                .Select(port => (Port: port, Reason: state.PublishedBy(port.Protocol, port.HostIp, port.HostPort)
                    ?? bound.WhoHas(port.Protocol, port.HostIp, port.HostPort)))
                .Where(found => found.Reason is not null)
                .Select(found => new PortInUse(found.Port.Protocol, found.Port.HostIp, found.Port.HostPort, found.Reason!))];
        });

    public async Task ResyncAsync(CancellationToken stop)
    {
        // Waits for a shim to be there, so that what is told below is not older than what others tell it meanwhile.
        await dns.SetTableAsync(await thread.RunAsync(Names), stop);
        var (listeners, holds, table) = await thread.RunAsync(() => (
            state.Sandboxes.Values.Select(file => Listen(file.Request, file.DnsPort)).Concat(state.Pending.Values.Select(p => p.Listen)).ToImmutableArray(),
            state.Sandboxes.Values.Where(file => !file.Sandbox.Ports.IsEmpty)
                .Select(file => new PortHold(file.Request.Id, [.. file.Sandbox.Ports.Select(port => new HeldPort(port.Protocol, port.HostIp, port.HostPort))]))
                .Concat(state.Pending.Values.Select(p => p.Hold).OfType<PortHold>())
                .Append(new PortHold(ServicesOwner, [.. state.Published.Select(Hold)])).ToImmutableArray(),
            Names()));
        await ports.SyncAsync(new PortSync(holds), stop);
        await dns.SyncAsync(new DnsSync(listeners, table), stop);
    }

    private Task<ServiceTableResult> PublishNowAsync(ServiceTable? table, CancellationToken stop)
    {
        var request = new PublishRequest(table, new TaskCompletionSource<ServiceTableResult>(TaskCreationOptions.RunContinuationsAsynchronously));
        return publishRequests.Writer.TryWrite(request)
            ? request.Done.Task.WaitAsync(stop)
            : throw new ObjectDisposedException(nameof(HostNetworks));
    }

    /// <summary>Takes all waiting requests, does the newest table once, answers all of them.</summary>
    private async Task PublishAsync()
    {
        while (await publishRequests.Reader.WaitToReadAsync())
        {
            var waiting = new List<PublishRequest>();
            while (publishRequests.Reader.TryRead(out var request))
                waiting.Add(request);
            try
            {
                var newest = waiting.Select(request => request.Table).OfType<ServiceTable>().MaxBy(table => table.Version);
                var result = await PublishAsync(newest);
                waiting.ForEach(request => request.Done.SetResult(result));
            }
            catch (Exception error)
            {
                waiting.ForEach(request => request.Done.SetException(error));
            }
        }
    }

    private async Task<ServiceTableResult> PublishAsync(ServiceTable? table)
    {
        ServiceTableResult? result = null;
        if (table is not null)
            result = await PublishPortsAsync(table);
        var (names, version) = await thread.RunAsync(() => (Names(), state.Services.Version));
        await dns.SetTableAsync(names, CancellationToken.None);
        return result ?? new ServiceTableResult(version, []);
    }

    private async Task<ServiceTableResult> PublishPortsAsync(ServiceTable table)
    {
        var conflicts = new List<PortInUse>();
        var fresh = await thread.RunAsync(() => table.Version >= state.Services.Version ? Judge(table, conflicts) : null);
        if (fresh is null)
            return await thread.RunAsync(() => new ServiceTableResult(state.Services.Version, []));

        var refused = conflicts.Select(conflict => new HostPort(conflict.Protocol, conflict.Port)).ToHashSet();
        foreach (var port in fresh)
        {
            if (await HoldForServicesAsync(port) is { } conflict)
            {
                conflicts.Add(conflict);
                refused.Add(new HostPort(port.Protocol, port.Port));
            }
        }

        foreach (var conflict in conflicts)
            log.PortNotPublished(table.Version, conflict.Reason);
        var released = await thread.RunAsync(() => Publish(table, refused));
        if (!released.IsEmpty)
        {
            try
            {
                await ports.ReleaseAsync(ServicesOwner, released, CancellationToken.None);
            }
            catch (ShimException error)
            {
                log.PortsNotHeld(error.Message);
            }
        }

        return new ServiceTableResult(table.Version, [.. conflicts]);
    }

    /// <summary>The ports of the table that are not published yet and that nothing of ours stands against.</summary>
    private List<PublishedPort> Judge(ServiceTable table, List<PortInUse> conflicts)
    {
        var fresh = new List<PublishedPort>();
        var seen = new Dictionary<HostPort, string>();
        foreach (var port in table.Ports)
        {
            var key = new HostPort(port.Protocol, port.Port);
            var container = state.Sandboxes.Values.FirstOrDefault(
                file => file.Sandbox.Ports.Any(other => other.Protocol == port.Protocol && other.HostPort == port.Port && other.HostIp is null));
            var reason = port.Protocol is not (PortProtocol.Tcp or PortProtocol.Udp) ? $"port {port.Port}: sctp is not supported, tcp and udp are"
                : seen.TryGetValue(key, out var other) ? $"port {key} is already published by service {other}"
                : container is not null ? $"port {key} is already published by container {container.Request.Hostname} ({HostState.Short(container.Request.Id)})"
                : null;
            if (reason is not null)
                conflicts.Add(new PortInUse(port.Protocol, null, port.Port, $"{reason}; service {port.ServiceName} is not published there"));
            else if (!state.Published.Exists(published => published.Protocol == port.Protocol && published.Port == port.Port))
                fresh.Add(port);
            seen.TryAdd(key, port.ServiceName);
        }

        return fresh;
    }

    private async Task<PortInUse?> HoldForServicesAsync(PublishedPort port)
    {
        try
        {
            var held = await ports.HoldAsync(new PortHold(ServicesOwner, [Hold(port)]), CancellationToken.None);
            return held.Taken.IsEmpty
                ? null
                : new PortInUse(port.Protocol, null, port.Port, await thread.RunAsync(() => Explain(held.Taken[0])));
        }
        catch (ShimException error)
        {
            // The kernel forwards without the shim; only the reservation is missing, and a resync brings it.
            log.PortsNotHeld(error.Message);
            return null;
        }
    }

    private ImmutableArray<HeldPort> Publish(ServiceTable table, HashSet<HostPort> refused)
    {
        var before = state.Published.ToList();
        state.Published.Clear();
        // Where a table names a port twice the first has it.
        state.Published.AddRange(table.Ports.Where(port => port.Protocol is PortProtocol.Tcp or PortProtocol.Udp)
            .DistinctBy(port => new HostPort(port.Protocol, port.Port))
            .Where(port => !refused.Contains(new HostPort(port.Protocol, port.Port)) || before.Exists(old => Hold(old) == Hold(port))));
        state.Services = table;
        ApplyPorts();
        store.SaveServices(table with { Ports = [.. state.Published] });
        return [.. before.Select(Hold).Where(old => !state.Published.Exists(now => Hold(now) == old))];
    }

    /// <summary>The table's names, and the aliases of this host's own containers.</summary>
    private DnsTable Names()
    {
        var all = state.Services.Names.Select(name => (name.NetworkId, name.Name, name.Addresses)).ToList();
        foreach (var file in state.Sandboxes.Values)
        {
            foreach (var (wanted, endpoint) in file.Request.Endpoints.Zip(file.Sandbox.Endpoints))
                all.AddRange(wanted.Aliases.Select(alias => (endpoint.NetworkId, alias, ImmutableArray.Create(endpoint.Address))));
        }

        return new DnsTable([.. all.GroupBy(name => name.NetworkId, StringComparer.Ordinal).Select(network => new DnsNetwork(
            network.Key,
            [.. network.GroupBy(name => name.Item2, StringComparer.OrdinalIgnoreCase)
                .Select(name => new DnsName(name.Key, [.. name.SelectMany(entry => entry.Item3).Distinct()]))]))]);
    }

    private string Explain(HeldPort port)
        => state.PublishedBy(port.Protocol, port.HostIp, port.Port)
            ?? SocketTable.Read().WhoHas(port.Protocol, port.HostIp, port.Port)
            ?? (port.HostIp is { } ip && !IPAddress.Any.Equals(ip)
                ? $"port {new HostPort(port.Protocol, port.Port)} cannot be published on {ip}: it is in use, or the host does not have that address"
                : $"port {new HostPort(port.Protocol, port.Port)} is already in use by another process");

    private static HeldPort Hold(PublishedPort port) => new(port.Protocol, null, port.Port);
}
