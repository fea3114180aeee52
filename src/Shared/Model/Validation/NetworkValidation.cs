namespace Orchestrator.Shared.Model.Validation;

/// <summary>Judges a request for a cluster's network by itself: every problem at once.</summary>
public static class NetworkValidation
{
    private static readonly string[] HostNetworks = ["bridge", "host", "none", "default"];

    public static IReadOnlyList<Problem> Check(NetworkCreateRequest spec)
    {
        var found = new Findings();
        if (spec.Name.Length == 0)
            found.Add("Name", "a network needs a name");
        else if (!char.IsAsciiLetterOrDigit(spec.Name[0]) || spec.Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.' or '-')))
            found.Add("Name", $"network name '{spec.Name}' may hold letters, digits, '_', '.' and '-', and begins with a letter or digit");
        else if (HostNetworks.Contains(spec.Name, StringComparer.Ordinal))
            found.Add("Name", $"operation is not permitted on predefined {spec.Name} network");
        found.When(spec.Driver is not (null or "" or "overlay" or "bridge"), "Driver", $"network driver '{spec.Driver}' is not supported: use overlay or bridge");
        found.When(spec.Ingress, "Ingress", "the cluster has its ingress network already; another one is not supported yet");
        found.Unsupported(spec.ConfigOnly, "ConfigOnly", "configuration-only networks");
        found.Unsupported(spec.EnableIpv6 == true, "EnableIPv6", "IPv6 networks");
        found.Unsupported(spec.EnableIpv4 == false, "EnableIPv4", "networks without IPv4");
        foreach (var option in spec.Options.Keys.Order(StringComparer.Ordinal))
            found.Add("Options", $"network option '{option}' is not supported yet");
        Addresses(found, spec.Ipam);
        return found.Problems;
    }

    private static void Addresses(Findings found, Ipam? ipam)
    {
        if (ipam is null)
            return;
        found.When(ipam.Driver is not ("" or "default"), "IPAM.Driver", $"address management driver '{ipam.Driver}' is not supported: use default");
        found.Unsupported(ipam.Options?.Count > 0, "IPAM.Options", "options of address management");
        found.Unsupported(ipam.Config.Count > 1, "IPAM.Config", "several subnets on one network");
        foreach (var config in ipam.Config)
        {
            found.Unsupported(config.AuxiliaryAddresses?.Count > 0, "IPAM.Config.AuxiliaryAddresses", "auxiliary addresses");
            if (string.IsNullOrEmpty(config.Subnet))
            {
                found.When(
                    !string.IsNullOrEmpty(config.Gateway) || !string.IsNullOrEmpty(config.IpRange), "IPAM.Config.Subnet", "a gateway or a range needs its subnet");
                continue;
            }

            if (Ipv4Subnet.Parse(config.Subnet) is not { PrefixLength: >= 8 and <= 29 } subnet)
            {
                found.Add("IPAM.Config.Subnet", $"subnet '{config.Subnet}' is not an IPv4 network such as 10.1.2.0/24, between /8 and /29");
                continue;
            }

            if (!string.IsNullOrEmpty(config.Gateway))
            {
                var usable = Ipv4Subnet.ParseAddress(config.Gateway) is { } gateway && gateway > subnet.Address && gateway < subnet.Last;
                found.When(!usable, "IPAM.Config.Gateway", $"gateway '{config.Gateway}' is not a host's address of subnet {subnet}");
            }

            if (!string.IsNullOrEmpty(config.IpRange))
            {
                var inside = Ipv4Subnet.Parse(config.IpRange) is { } range && subnet.Contains(range);
                found.When(!inside, "IPAM.Config.IPRange", $"range '{config.IpRange}' is not a part of subnet {subnet}");
            }
        }
    }
}
