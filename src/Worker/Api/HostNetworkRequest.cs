using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Network;

namespace Orchestrator.Worker.Api;

/// <summary>Turns a request for a local network into what the host carries; pure.</summary>
internal static class HostNetworkRequest
{
    private const string MtuOption = "com.docker.network.driver.mtu";

    internal static HostNetwork Plan(string id, NetworkCreateRequest request, List<Problem> problems)
    {
        if (request.Driver is not (null or "" or "bridge"))
            problems.Add(new Problem("Driver", $"network driver '{request.Driver}' is not there: use bridge, or overlay in a cluster"));
        if (request.Scope is not (null or "" or "local"))
            problems.Add(new Problem("Scope", $"a network of this host has scope local, not '{request.Scope}'"));
        if (request.ConfigOnly || request.Ingress)
            problems.Add(new Problem(request.Ingress ? "Ingress" : "ConfigOnly", "networks of this kind are not there"));
        if (request.EnableIpv6 ?? false)
            problems.Add(new Problem("EnableIPv6", "IPv6 networks are not there yet"));
        if (request.EnableIpv4 is false)
            problems.Add(new Problem("EnableIPv4", "networks without IPv4 are not there yet"));
        foreach (var option in request.Options.Keys.Where(o => o != MtuOption))
            problems.Add(new Problem($"Options.{option}", "this option is not there; the only one is " + MtuOption));
        var mtu = 0;
        if (request.Options.TryGetValue(MtuOption, out var text)
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out mtu) || mtu is < 68 or > 65_535))
        {
            problems.Add(new Problem($"Options.{MtuOption}", $"'{text}' is not an MTU between 68 and 65535"));
        }

        return new HostNetwork
        {
            Id = id,
            Name = request.Name,
            Internal = request.Internal,
            Mtu = mtu == 0 ? null : mtu,
            Subnets = Subnets(request.Ipam, problems),
        };
    }

    private static ImmutableArray<Subnet> Subnets(Ipam? ipam, List<Problem> problems)
    {
        if (ipam is null)
            return [];
        if (ipam.Driver is not ("" or "default"))
            problems.Add(new Problem("IPAM.Driver", $"address management driver '{ipam.Driver}' is not there: leave it out"));
        if (ipam.Options is { Count: > 0 })
            problems.Add(new Problem("IPAM.Options", "the default address management has no options"));
        if (ipam.Config.Count > 1)
            problems.Add(new Problem("IPAM.Config", "a network has one subnet yet"));
        return [.. ipam.Config.Select((c, i) => Subnet(c, $"IPAM.Config[{i}]", problems)).OfType<Subnet>()];
    }

    private static Subnet? Subnet(IpamConfig config, string where, List<Problem> problems)
    {
        if (config.IpRange is { Length: > 0 })
            problems.Add(new Problem($"{where}.IPRange", "giving addresses from a part of the subnet is not there yet"));
        if (config.AuxiliaryAddresses is { Count: > 0 })
            problems.Add(new Problem($"{where}.AuxiliaryAddresses", "reserving addresses is not there yet"));
        if (config.Subnet is not { Length: > 0 } text)
        {
            if (config.Gateway is { Length: > 0 })
                problems.Add(new Problem($"{where}.Gateway", "a gateway needs its subnet"));
            return null;
        }

        if (!IPNetwork.TryParse(text, out var prefix) || prefix.BaseAddress.AddressFamily != AddressFamily.InterNetwork || prefix.PrefixLength > 30)
        {
            problems.Add(new Problem($"{where}.Subnet", $"'{text}' is not an IPv4 subnet such as 10.1.2.0/24, with room for two hosts"));
            return null;
        }

        if (config.Gateway is not { Length: > 0 } gateway)
            return new Subnet(prefix, First(prefix));
        if (IPAddress.TryParse(gateway, out var address) && prefix.Contains(address))
            return new Subnet(prefix, address);
        problems.Add(new Problem($"{where}.Gateway", $"'{gateway}' is not an address in {text}"));
        return null;
    }

    private static IPAddress First(IPNetwork prefix)
    {
        var bytes = prefix.BaseAddress.GetAddressBytes();
        bytes[3]++;
        return new IPAddress(bytes);
    }
}
