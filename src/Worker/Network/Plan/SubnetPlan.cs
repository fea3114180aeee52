using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Worker.Network.Plan;

/// <summary>A range that is spoken for and by whom, in words: <c>the host's route 10.0.0.0/16 on eth1</c>.</summary>
internal readonly record struct TakenRange(IPNetwork Prefix, string Owner);

/// <summary>Whether a network's ranges can be had on this host, and which range a network without one gets.</summary>
internal static class SubnetPlan
{
    /// <summary>The first sentence against the network, or null.</summary>
    internal static string? Refuse(HostNetwork network, IReadOnlyList<TakenRange> taken)
    {
        if (network.Driver is not ("bridge" or "overlay"))
            return $"network {network.Name}: driver '{network.Driver}' is not available on this host (bridge and overlay are)";
        if (network.Subnets.Length > 1)
            return $"network {network.Name}: {network.Subnets.Length} subnets were asked for, one per network is supported";
        foreach (var subnet in network.Subnets)
        {
            if (subnet.Prefix.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
                return $"network {network.Name}: IPv6 subnet {subnet.Prefix} is not supported yet";
            if (subnet.Prefix.PrefixLength is < 8 or > 30)
                return $"network {network.Name}: subnet {subnet.Prefix} has no room for a gateway and containers (/8 to /30 are supported)";
            if (!subnet.Prefix.Contains(subnet.Gateway))
                return $"network {network.Name}: gateway {subnet.Gateway} is outside of subnet {subnet.Prefix}";
            foreach (var other in taken)
            {
                if (Overlap(subnet.Prefix, other.Prefix))
                    return $"network {network.Name}: subnet {subnet.Prefix} overlaps {other.Owner}";
            }
        }

        return null;
    }

    /// <summary>The first default range that overlaps nothing: 172.20.0.0/16 … 172.31.0.0/16, then 192.168.0.0/20 …, as Docker's.</summary>
    internal static Subnet? Choose(IReadOnlyList<TakenRange> taken)
    {
        foreach (var candidate in Defaults())
        {
            if (!taken.Any(range => Overlap(range.Prefix, candidate)))
                return new Subnet(candidate, FirstHost(candidate));
        }

        return null;
    }

    internal static bool Overlap(IPNetwork a, IPNetwork b) => a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress);

    internal static IPAddress FirstHost(IPNetwork network)
    {
        Span<byte> bytes = stackalloc byte[4];
        network.BaseAddress.TryWriteBytes(bytes, out _);
        BinaryPrimitives.WriteUInt32BigEndian(bytes, BinaryPrimitives.ReadUInt32BigEndian(bytes) + 1);
        return new IPAddress(bytes);
    }

    private static IEnumerable<IPNetwork> Defaults()
    {
        for (byte second = 20; second <= 31; second++)
            yield return new IPNetwork(new IPAddress([172, second, 0, 0]), 16);
        for (var third = 0; third < 256; third += 16)
            yield return new IPNetwork(new IPAddress([192, 168, (byte)third, 0]), 20);
    }
}
