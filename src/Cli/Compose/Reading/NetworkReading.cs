using System.Net;
using Orchestrator.Cli.Compose.Syntax;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>One entry of the top-level <c>networks</c>.</summary>
internal static class NetworkReading
{
    internal static ComposeNetwork Read(MapReader body, MappingEntry entry)
    {
        var (external, externalName) = ExternalReading.Read(body);
        var network = new ComposeNetwork
        {
            Key = entry.Key,
            At = entry.At,
            External = external,
            Name = body.Text("name") ?? externalName,
            Driver = body.OneOf("driver", "bridge", "overlay"),
            DriverOpts = body.Labels("driver_opts"),
            Ipam = body.Map("ipam") is { } ipam ? ReadIpam(ipam) : null,
            Internal = body.Flag("internal") ?? false,
            Attachable = body.Flag("attachable") ?? false,
            EnableIpv4 = body.Flag("enable_ipv4"),
            EnableIpv6 = body.Flag("enable_ipv6"),
            Labels = body.Labels("labels"),
        };
        body.Close();
        if (external)
            ExternalReading.RefuseOthers(body, $"networks.{entry.Key}");
        return network;
    }

    private static Ipam ReadIpam(MapReader ipam)
    {
        ipam.OneOf("driver", "default");
        var configs = new List<IpamConfig>();
        foreach (var item in ipam.Items("config"))
        {
            if (item is not MappingNode map)
            {
                ipam.Wrong(item, "config", "a list of mappings");
                continue;
            }
            var config = new MapReader(map, $"{ipam.Subject}.config", ipam.Problems);
            configs.Add(new IpamConfig
            {
                Subnet = Subnet(config, "subnet"),
                IpRange = Subnet(config, "ip_range"),
                Gateway = Address(config, "gateway"),
            });
            config.Refuse("aux_addresses", "does not work yet");
            config.Close();
        }
        ipam.Refuse("options", "does not work: the default address management has no options");
        ipam.Close();
        return new Ipam { Config = configs };
    }

    private static string? Subnet(MapReader map, string key)
    {
        if (map.Text(key) is not { } text)
            return null;
        if (!text.Contains('/') || !IPNetwork.TryParse(text, out _))
            map.Problems.Add(map.Take(key)!.At, $"{map.Subject}.{key} is '{text}', which is not a subnet such as 10.5.0.0/24");
        return text;
    }

    private static string? Address(MapReader map, string key)
    {
        if (map.Text(key) is not { } text)
            return null;
        if (!IPAddress.TryParse(text, out _))
            map.Problems.Add(map.Take(key)!.At, $"{map.Subject}.{key} is '{text}', which is not an IP address");
        return text;
    }
}
