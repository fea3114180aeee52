using System.Net;
using System.Security.Cryptography;

using Microsoft.Win32.SafeHandles;

using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Linux.Netlink;

namespace Orchestrator.Worker.Network.Bridge;

/// <summary>One interface to bring up inside a sandbox.</summary>
internal readonly record struct SandboxInterface(string Name, IPAddress Address, int PrefixLength);

/// <summary>A network namespace made for a container: loopback up, the resolver's redirect in place, no interfaces yet.</summary>
internal sealed class SandboxNamespace : IDisposable
{
    private const string DisableIpv6 = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
    private const int LowestDnsPort = 32768;
    private const int HighestDnsPort = 60999;

    private readonly NetlinkSocket route;

    private SandboxNamespace(SafeFileHandle handle, NetlinkSocket route, int dnsPort)
    {
        Handle = handle;
        this.route = route;
        DnsPort = dnsPort;
    }

    internal SafeFileHandle Handle { get; }

    /// <summary>Where 127.0.0.11:53 leads. Chosen at random among the ports that nobody binds on purpose.</summary>
    internal int DnsPort { get; }

    /// <summary>Makes one. The calling thread is inside it meanwhile and not afterwards: it would keep the namespace and its links alive.</summary>
    /// <param name="make">Makes the bare namespace; null: it belongs to the host's users.</param>
    internal static SandboxNamespace Create(Func<SafeFileHandle>? make = null)
    {
        using var home = Namespaces.OpenCurrent();
        var handle = make is null ? Namespaces.UnshareNetwork() : make();
        try
        {
            if (make is not null)
                Namespaces.EnterNetwork(handle);
            // Bridges here are IPv4: without this every eth0 spends its first seconds on duplicate address detection and router solicitation.
            if (File.Exists(DisableIpv6))
                File.WriteAllText(DisableIpv6, "1");
            var socket = NetlinkSocket.Open(NetlinkFamily.Route);
            var loopback = new NetlinkBatch();
            loopback.SetUp("lo");
            socket.Execute(loopback);
            var port = RandomNumberGenerator.GetInt32(LowestDnsPort, HighestDnsPort + 1);
            using var netfilter = NetlinkSocket.Open(NetlinkFamily.Netfilter);
            netfilter.Execute(DnsRules.First(port));
            return new SandboxNamespace(handle, socket, port);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
        finally
        {
            Namespaces.EnterNetwork(home);
        }
    }

    /// <summary>Points the resolver's redirect of the calling thread's namespace at another port.</summary>
    internal static void Redirect(int port)
    {
        using var netfilter = NetlinkSocket.Open(NetlinkFamily.Netfilter);
        netfilter.Execute(DnsRules.Again(port));
    }

    /// <summary>Addresses, links up, default route. The links are here already.</summary>
    internal void Configure(IReadOnlyList<SandboxInterface> interfaces, IPAddress? gateway)
    {
        var batch = new NetlinkBatch();
        foreach (var item in interfaces)
        {
            var index = Index(item.Name);
            batch.AddAddress(index, item.Address, item.PrefixLength);
            batch.SetUp(index);
        }

        if (gateway is not null)
            batch.AddDefaultRoute(gateway);
        route.Execute(batch);
    }

    public void Dispose()
    {
        route.Dispose();
        Handle.Dispose();
    }

    private int Index(string name)
    {
        var batch = new NetlinkBatch();
        batch.FindLink(name);
        LinkInfo? found = null;
        route.Query(batch, message => found ??= RouteParsers.Link(message));
        return found?.Index ?? throw new LinuxException($"find link {name} in the container", 19);
    }
}
