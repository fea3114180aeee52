using System.Net;
using System.Net.NetworkInformation;

using Microsoft.Win32.SafeHandles;

using Microsoft.Extensions.Logging;

using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Linux.Netlink;
using Orchestrator.Worker.Network.Plan;

namespace Orchestrator.Worker.Network.Bridge;

/// <summary>The host's links, addresses, sysctls and rules. Lives on the thread that is inside the host's network namespace.</summary>
internal sealed class BridgeKernel(LinkNames names) : IDisposable
{
    private const int Eexist = 17;
    private const int Enodev = 19;
    private const int DefaultMtu = 1500;
    private const string ForwardingMark = "(ip_forward was 0)";
    private static readonly bool HasIpv6 = Directory.Exists("/proc/sys/net/ipv6/conf");

    private readonly NetlinkSocket route = NetlinkSocket.Open(NetlinkFamily.Route);
    private readonly NetlinkSocket netfilter = NetlinkSocket.Open(NetlinkFamily.Netfilter);

    internal IReadOnlyList<LinkInfo> Links() => Query(LinkMessages.DumpLinks, RouteParsers.Link);

    internal IReadOnlyList<RouteInfo> Routes() => Query(AddressMessages.DumpRoutes, RouteParsers.Route);

    internal IReadOnlyList<AddressInfo> Addresses() => Query(AddressMessages.DumpAddresses, RouteParsers.Address);

    /// <summary>The MTU of the link that the default route uses.</summary>
    internal int UplinkMtu()
    {
        var uplink = Routes().FirstOrDefault(candidate => candidate.Destination.PrefixLength == 0)?.Link;
        return uplink is null ? DefaultMtu : Links().FirstOrDefault(link => link.Index == uplink)?.Mtu ?? DefaultMtu;
    }

    /// <summary>Makes the bridge, or what is missing of it, and returns its interface index.</summary>
    internal int EnsureBridge(string name, HostNetwork network, int mtu, bool forwardingWasOff)
    {
        var subnet = network.Subnets[0];
        var link = Links().FirstOrDefault(candidate => candidate.Name == name);
        if (link is null)
        {
            var create = new NetlinkBatch();
            create.CreateBridge(name, LinkNames.Mac(subnet.Gateway), mtu);
            create.SetAlias(name, $"orch network {network.Name} {(forwardingWasOff ? ForwardingMark : "")}".TrimEnd());
            if (HasIpv6)
                create.SetNoLinkLocal(name);
            create.SetUp(name);
            route.Execute(create);
            link = Links().First(candidate => candidate.Name == name);
        }

        if (!Addresses().Any(address => address.Link == link.Index && address.Address.Equals(subnet.Gateway)))
        {
            var address = new NetlinkBatch();
            address.AddAddress(link.Index, subnet.Gateway, subnet.Prefix.PrefixLength, Broadcast(subnet.Prefix));
            address.SetUp(link.Index);
            route.Execute(address);
        }

        WriteSysctl($"net/ipv4/conf/{name}/route_localnet", "1");
        // A container on two networks answers by its default route: the answer may come in by the other bridge.
        WriteSysctl($"net/ipv4/conf/{name}/rp_filter", "2");
        return link.Index;
    }

    internal void CreateVeth(string name, int bridge, string peerName, SafeFileHandle ns, PhysicalAddress mac, int mtu)
    {
        try
        {
            MakeVeth(name, bridge, peerName, ns, mac, mtu);
        }
        catch (LinuxException left) when (left.Errno == Eexist)
        {
            // The last run's: the kernel takes a namespace apart aside, with the links in it, and has not come to this one.
            DeleteLink(name);
            MakeVeth(name, bridge, peerName, ns, mac, mtu);
        }
    }

    /// <summary>Deletes a link; false when there was none.</summary>
    internal bool DeleteLink(string name)
    {
        var batch = new NetlinkBatch();
        batch.DeleteLink(name);
        return route.TryExecute(batch) switch
        {
            null => true,
            { Errno: Enodev } => false,
            var error => throw error,
        };
    }

    /// <summary>Lets the bridges through other programs' dropping forward chains.</summary>
    internal void AdmitThroughForeignRules(ILogger log) => ForeignForwarding.Admit(netfilter, names, log);

    internal void WithdrawFromForeignRules() => ForeignForwarding.Withdraw(netfilter, names);

    /// <summary>
    /// Makes UDP flows to the port be judged anew where they lead to a backend that has gone, or to the host itself from before the port was published.
    /// </summary>
    internal void ForgetFlows(int udpPort, IReadOnlySet<IPAddress> goneBackends)
    {
        var stale = Addresses().Select(address => address.Address).Concat(goneBackends).ToHashSet();
        Conntrack.Forget(netfilter, flow => flow.Protocol == NftExpressions.Udp && flow.AskedPort == udpPort && stale.Contains(flow.Answerer));
    }

    internal void Apply(NetlinkBatch rules) => netfilter.Execute(rules);

    /// <summary>
    /// Switches forwarding on and says whether it was off before any instance came. The bridges' aliases carry that from one instance to the next,
    /// so that the last to leave can put it back.
    /// </summary>
    internal bool EnableForwarding()
    {
        if (ReadSysctl("net/ipv4/ip_forward") == "1")
            return Links().Any(link => link.Alias.EndsWith(ForwardingMark, StringComparison.Ordinal));
        WriteSysctl("net/ipv4/ip_forward", "1");
        return true;
    }

    internal static void DisableForwarding() => WriteSysctl("net/ipv4/ip_forward", "0");

    public void Dispose()
    {
        route.Dispose();
        netfilter.Dispose();
    }

    private void MakeVeth(string name, int bridge, string peerName, SafeFileHandle ns, PhysicalAddress mac, int mtu)
    {
        var batch = new NetlinkBatch();
        batch.CreateVeth(name, bridge, peerName, ns, mac, mtu);
        batch.SetHairpin(name);
        if (HasIpv6)
            batch.SetNoLinkLocal(name);
        batch.SetUp(name);
        route.Execute(batch);
    }

    private List<T> Query<T>(Action<NetlinkBatch> request, Func<NetlinkReader.Message, T?> parse)
        where T : class
    {
        var batch = new NetlinkBatch();
        request(batch);
        var found = new List<T>();
        route.Query(batch, message =>
        {
            if (parse(message) is { } item)
                found.Add(item);
        });
        return found;
    }

    private static IPAddress Broadcast(IPNetwork network)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        for (var bit = network.PrefixLength; bit < 32; bit++)
            bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
        return new IPAddress(bytes);
    }

    // Below /proc/sys/net the kernel shows the calling thread's namespace.
    private static string ReadSysctl(string name) => File.ReadAllText("/proc/sys/" + name).Trim();

    private static void WriteSysctl(string name, string value) => File.WriteAllText("/proc/sys/" + name, value);
}
