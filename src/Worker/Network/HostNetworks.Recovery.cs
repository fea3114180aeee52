using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Network.Bridge;
using Orchestrator.Worker.Network.Plan;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Network;

internal sealed partial class HostNetworks
{
    private const int MostInterfaces = 16;
    private static readonly TimeSpan LinkPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LinkLook = TimeSpan.FromMilliseconds(5);

    public async Task<CleanUpReport> RecoverAsync(IReadOnlySet<string> liveSandboxIds, CancellationToken stop)
    {
        var report = await thread.RunAsync(() => Recover(liveSandboxIds));
        try
        {
            await ResyncAsync(stop);
            return report;
        }
        catch (ShimException error)
        {
            return report with { Failed = report.Failed.Add($"shim: {error.Message}") };
        }
    }

    public async Task<CleanUpReport> RemoveAllAsync(CancellationToken stop)
    {
        var removed = new List<string>();
        var failed = new List<string>();
        foreach (var id in await thread.RunAsync(() => state.Sandboxes.Keys.ToList()))
        {
            try
            {
                await DetachAsync(id, stop);
                removed.Add($"sandbox {id}");
            }
            catch (Exception error) when (error is IOException or ShimException)
            {
                failed.Add($"sandbox {id}: {error.Message}");
            }
        }

        try
        {
            await ports.SyncAsync(new([]), stop);
            await dns.SyncAsync(new([], Dns.DnsTable.Empty), stop);
        }
        catch (ShimException error)
        {
            // A shim that has ended has let everything go.
            failed.Add($"shim: {error.Message}");
        }

        await thread.RunAsync(() => RemoveFromKernel(removed, failed));
        await AwaitLinksGoneAsync(failed, stop);
        return new CleanUpReport { Removed = [.. removed], Failed = [.. failed] };
    }

    private CleanUpReport Recover(IReadOnlySet<string> live)
    {
        var adopted = new List<string>();
        var removed = new List<string>();
        var failed = new List<string>();
        var file = store.LoadNetworks();
        state.ForwardingWasOff = file.ForwardingWasOff;
        LoadSandboxes(live, adopted, removed);
        if (store.LoadServices() is { } services)
        {
            state.Services = services;
            state.Published.AddRange(services.Ports);
        }

        foreach (var network in file.Networks)
        {
            try
            {
                Adopt(network);
                adopted.Add($"network {network.Name}");
            }
            catch (Exception error) when (error is IOException or NetworkException)
            {
                failed.Add($"network {network.Name}: {error.Message}");
            }
        }

        if (state.Networks.Count > 0)
        {
            Rebuild();
            kernel.AdmitThroughForeignRules(log);
        }

        RemoveLeftovers(live, removed, failed);
        return new CleanUpReport { Adopted = [.. adopted], Removed = [.. removed], Failed = [.. failed] };
    }

    private void LoadSandboxes(IReadOnlySet<string> live, List<string> adopted, List<string> removed)
    {
        var pinned = Namespaces.PinnedBelow(netnsDirectory).ToHashSet(StringComparer.Ordinal);
        foreach (var sandbox in store.LoadSandboxes())
        {
            if (live.Contains(sandbox.Request.Id) && pinned.Contains(NetnsPath(sandbox.Request.Id)))
            {
                state.Sandboxes[sandbox.Request.Id] = sandbox;
                adopted.Add($"sandbox {sandbox.Request.Id}");
            }
            else
            {
                store.DeleteSandbox(sandbox.Request.Id);
                removed.Add($"sandbox {sandbox.Request.Id}");
            }
        }
    }

    private void Adopt(HostNetwork network)
    {
        var bridge = names.Bridge(network.Id);
        var pool = new AddressPool(network.Subnets[0]);
        foreach (var endpoint in state.Sandboxes.Values.SelectMany(sandbox => sandbox.Sandbox.Endpoints).Where(endpoint => endpoint.NetworkId == network.Id))
            pool = pool.Reserve(endpoint.Address);
        EnableForwarding();
        var mtu = network.Mtu ?? kernel.UplinkMtu();
        state.Networks[network.Id] = new StandingNetwork(network, bridge, kernel.EnsureBridge(bridge, network, mtu, state.ForwardingWasOff), mtu, pool);
    }

    /// <summary>
    /// Names without a sandbox, then links that neither a network nor a sandbox of ours accounts for. A living container whose record is lost keeps
    /// its namespace and links: nothing is known that would allow to take them.
    /// </summary>
    private void RemoveLeftovers(IReadOnlySet<string> live, List<string> removed, List<string> failed)
    {
        foreach (var unknown in live.Where(id => !state.Sandboxes.ContainsKey(id) && File.Exists(NetnsPath(id))))
            failed.Add($"sandbox {unknown} is alive, but its record is lost: its addresses and ports are not known");
        var kept = state.Sandboxes.Keys.Concat(live).Select(NetnsPath).ToHashSet(StringComparer.Ordinal);
        foreach (var path in Namespaces.PinnedBelow(netnsDirectory).Concat(Directory.EnumerateFiles(netnsDirectory)).Distinct(StringComparer.Ordinal))
        {
            if (!kept.Contains(path))
                Try($"namespace {path}", () => Namespaces.Unpin(path), removed, failed);
        }

        var links = state.Networks.Values.Select(network => network.Bridge)
            .Concat(state.Sandboxes.Values.SelectMany(file => file.Sandbox.Endpoints.Select((_, index) => names.Veth(file.Request.Id, index))))
            .Concat(live.SelectMany(id => Enumerable.Range(0, MostInterfaces).Select(index => names.Veth(id, index))))
            .ToHashSet(StringComparer.Ordinal);
        foreach (var link in kernel.Links().Where(link => link.Name.StartsWith(names.Prefix, StringComparison.Ordinal) && !links.Contains(link.Name)))
            Try($"link {link.Name}", () => kernel.DeleteLink(link.Name), removed, failed);
    }

    private void RemoveFromKernel(List<string> removed, List<string> failed)
    {
        // Called by a command that has not recovered first, the state is in the files alone.
        var forwardingWasOff = state.ForwardingWasOff || store.LoadNetworks().ForwardingWasOff;
        Try($"nft table {names.Table}", () => kernel.Apply(RuleSet.Delete(names)), removed, failed);
        Try("accepts in other rule sets", kernel.WithdrawFromForeignRules, removed, failed);
        foreach (var path in Namespaces.PinnedBelow(netnsDirectory))
            Try($"namespace {path}", () => Namespaces.Unpin(path), removed, failed);
        foreach (var link in kernel.Links().Where(link => link.Name.StartsWith(names.Prefix, StringComparison.Ordinal)))
            Try($"link {link.Name}", () => kernel.DeleteLink(link.Name), removed, failed);
        // Whoever came after us may rely on forwarding; with no bridge of anybody's left it goes back to what it was.
        if (forwardingWasOff && !kernel.Links().Any(link => link.Kind == "bridge" && !link.Name.StartsWith(names.Prefix, StringComparison.Ordinal)))
            Try("ip_forward", BridgeKernel.DisableForwarding, removed, failed);
        state.Networks.Clear();
        state.Sandboxes.Clear();
        state.Published.Clear();
        state.Services = new ServiceTable { Version = 0 };
        state.Forwarded = ForwardedPorts.Empty;
        state.ForwardingWasOff = false;
        store.DeleteAll();
        store.Open();
    }

    private async Task AwaitLinksGoneAsync(List<string> failed, CancellationToken stop)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            var left = await thread.RunAsync(
                () => kernel.Links().Where(link => link.Name.StartsWith(names.Prefix, StringComparison.Ordinal)).Select(link => link.Name).ToList());
            if (left.Count == 0)
                return;
            if (time.GetElapsedTime(start) > LinkPatience)
            {
                failed.AddRange(left.Select(link => $"link {link} is still there"));
                return;
            }

            await Task.Delay(LinkLook, time, stop);
        }
    }

    private static void Try(string subject, Action action, List<string> removed, List<string> failed)
    {
        try
        {
            action();
            removed.Add(subject);
        }
        catch (IOException error)
        {
            failed.Add($"{subject}: {error.Message}");
        }
    }
}
