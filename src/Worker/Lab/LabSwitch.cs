using System.Net;
using System.Net.NetworkInformation;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Linux.Netlink;

namespace Orchestrator.Worker.Lab;

/// <summary>The network between a lab's hosts: a bridge in a namespace of its own, a port for each host, named like it.</summary>
/// <param name="ns">The switch's network namespace.</param>
internal sealed class LabSwitch(SafeFileHandle ns)
{
    private const string Bridge = "lan";
    private const string HostLink = "eth0";
    private const string Table = "orch-lab";
    private const int Mtu = 1500;
    private const int NoSuchDevice = 19;

    /// <summary>Makes the bridge. Its own address is a place outside of the cluster from which the hosts can be reached.</summary>
    internal Task MakeAsync(IPAddress address, int prefix) => InAsync(ns, route =>
    {
        route.Execute(Batch(b =>
        {
            b.SetUp("lo");
            b.CreateBridge(Bridge, Mac(address), Mtu);
        }));
        var bridge = Index(route, Bridge);
        route.Execute(Batch(b =>
        {
            b.AddAddress(bridge, address, prefix);
            b.SetUp(bridge);
        }));
    });

    /// <summary>Connects a host, in place of what was at its port before.</summary>
    internal async Task PlugAsync(string host, SafeFileHandle hostNs, IPAddress address, int prefix, IPAddress gateway)
    {
        await UnplugAsync(host);
        await InAsync(ns, route =>
        {
            var bridge = Index(route, Bridge);
            route.Execute(Batch(b => b.CreateVeth(host, bridge, HostLink, hostNs, Mac(address), Mtu)));
            route.Execute(Batch(b =>
            {
                b.SetNoLinkLocal(host);
                b.SetUp(host);
            }));
        });
        await InAsync(hostNs, route =>
        {
            route.Execute(Batch(b => b.SetUp("lo")));
            var link = Index(route, HostLink);
            route.Execute(Batch(b =>
            {
                b.AddAddress(link, address, prefix, Broadcast(address, prefix));
                b.SetUp(link);
            }));
            route.Execute(Batch(b => b.AddDefaultRoute(gateway)));
        });
    }

    /// <summary>Takes a host's port away, at once; none is fine.</summary>
    internal Task UnplugAsync(string host) => InAsync(ns, route =>
    {
        var error = route.TryExecute(Batch(b => b.DeleteLink(host)));
        if (error is not null && error.Errno != NoSuchDevice)
            throw error;
    });

    /// <summary>The hosts that have a port.</summary>
    internal async Task<IReadOnlyList<string>> PortsAsync()
    {
        var links = new List<LinkInfo>();
        await InAsync(ns, route => route.Query(Batch(b => b.DumpLinks()), message =>
        {
            if (RouteParsers.Link(message) is { Kind: "veth" } link)
                links.Add(link);
        }));
        return [.. links.Select(l => l.Name)];
    }

    /// <summary>Drops these frames and no others, from one moment to the next.</summary>
    internal async Task DropAsync(IReadOnlyList<DroppedFrames> drops)
    {
        using var thread = new NamespaceThread("lab switch");
        await thread.RunAsync(() =>
        {
            Namespaces.EnterNetwork(ns);
            using var netfilter = NetlinkSocket.Open(NetlinkFamily.Netfilter);
            var batch = new NftBatch(Table, NftFamily.Bridge);
            batch.AddTable();
            batch.DeleteTable(); // with what stood in it; made first so that it is there to delete
            batch.AddTable();
            foreach (var (name, hook) in ((string, NftHook)[])[("forward", NftHook.Forward), ("input", NftHook.Input), ("output", NftHook.Output)])
            {
                batch.AddBaseChain(name, "filter", hook, priority: 0);
                foreach (var drop in drops)
                {
                    batch.AddRule(name, rule =>
                    {
                        if (drop.Input is { } input)
                            rule.InputName(NftExpressions.Equal, input);
                        if (drop.Output is { } output)
                            rule.OutputName(NftExpressions.Equal, output);
                        rule.Verdict(NftVerdict.Drop);
                    });
                }
            }

            netfilter.Execute(batch.Finish());
        });
    }

    private static NetlinkBatch Batch(Action<NetlinkBatch> fill)
    {
        var batch = new NetlinkBatch();
        fill(batch);
        return batch;
    }

    private static int Index(NetlinkSocket route, string name)
    {
        LinkInfo? found = null;
        route.Query(Batch(b => b.FindLink(name)), message => found ??= RouteParsers.Link(message));
        return found?.Index ?? throw new LinuxException($"find link {name}", NoSuchDevice);
    }

    private static async Task InAsync(SafeFileHandle ns, Action<NetlinkSocket> act)
    {
        using var thread = new NamespaceThread("lab network");
        await thread.RunAsync(() =>
        {
            Namespaces.EnterNetwork(ns);
            using var route = NetlinkSocket.Open(NetlinkFamily.Route);
            act(route);
        });
    }

    private static IPAddress Broadcast(IPAddress address, int prefix)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = prefix; bit < 32; bit++)
            bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
        return new IPAddress(bytes);
    }

    /// <summary>Locally administered; the address tells them apart.</summary>
    private static PhysicalAddress Mac(IPAddress address) => new([0x02, 0x4c, .. address.GetAddressBytes()]);
}
