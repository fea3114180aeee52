using System.CommandLine;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers.Creation;

/// <summary>The container's networks, ports and names.</summary>
internal sealed partial class RunFlags
{
    private readonly Option<string[]> _publish = Flags.List("--publish", "Publish a container's port(s) to the host", "list", "-p");
    private readonly Option<bool> _publishAll = Flags.Switch("--publish-all", "Publish all exposed ports to random ports", "-P");
    private readonly Option<string[]> _expose = Flags.List("--expose", "Expose a port or a range of ports", "list");
    private readonly Option<string?> _hostname = Flags.Text("--hostname", "Container host name", "string", "-h");
    private readonly Option<string?> _domainname = Flags.Text("--domainname", "Container NIS domain name");
    private readonly Option<string[]> _network = Flags.List("--network", "Connect a container to a network", "network", "--net");
    private readonly Option<string[]> _alias = Flags.List("--network-alias", "Add network-scoped alias for the container", "list", "--net-alias");
    private readonly Option<string?> _ip = Flags.Text("--ip", "IPv4 address (e.g., 172.30.100.104)");
    private readonly Option<string?> _mac = Flags.Text("--mac-address", "Container MAC address (e.g., 92:d0:c6:0a:29:33)");
    private readonly Option<string[]> _addHost = Flags.List("--add-host", "Add a custom host-to-IP mapping (host:ip)", "list");
    private readonly Option<string[]> _dns = Flags.List("--dns", "Set custom DNS servers", "list");
    private readonly Option<string[]> _dnsOption = Flags.List("--dns-option", "Set DNS options", "list", "--dns-opt");
    private readonly Option<string[]> _dnsSearch = Flags.List("--dns-search", "Set custom DNS search domains", "list");

    private IEnumerable<Option> NetworkOptions =>
        [_publish, _publishAll, _expose, _hostname, _domainname, _network, _alias, _ip, _mac, _addHost, _dns, _dnsOption, _dnsSearch];

    private (string Mode, NetworkingConfig? Config) Network(Invocation call)
    {
        var endpoints = new Dictionary<string, EndpointSettings?>(StringComparer.Ordinal);
        var mode = "default";
        foreach (var (text, first) in Given(call, _network).Select((n, i) => (n, i == 0)))
        {
            var (name, settings) = EndpointFlag.Parse(text);
            if (first)
            {
                mode = name;
                settings = Own(call, settings, text);
            }

            if (!endpoints.TryAdd(name, settings))
                throw new CommandException($"network \"{name}\" is specified multiple times");
        }

        if (endpoints.Count == 0 && Own(call, null, "") is { } wanted)
            endpoints["default"] = wanted;
        // A network that nothing is said about is named by the mode alone.
        return (mode, endpoints is { Count: 0 } or { Count: 1 } && endpoints.Values.All(s => s is null) ? null : new NetworkingConfig { EndpointsConfig = endpoints });
    }

    /// <summary>Docker takes <c>host=ip</c> and <c>host:ip</c>.</summary>
    private static string HostEntry(string text)
    {
        var at = text.IndexOfAny([':', '=']);
        return at > 0 && at < text.Length - 1
            ? $"{text[..at]}:{text[(at + 1)..].Trim('[', ']')}"
            : throw new CommandException($"bad format for add-host: '{text}': write HOST:IP");
    }

    /// <summary>What the flags beside <c>--network</c> say about the first one.</summary>
    private EndpointSettings? Own(Invocation call, EndpointSettings? settings, string text)
    {
        if (!call.Has(_alias) && !call.Has(_ip) && !call.Has(_mac))
            return settings;
        settings ??= new EndpointSettings();
        if ((call.Has(_alias) && settings.Aliases.Count > 0) || (call.Has(_ip) && settings.IpamConfig is not null) || (call.Has(_mac) && settings.MacAddress.Length > 0))
            throw new CommandException($"conflicting options: --network {text} says itself what --network-alias, --ip or --mac-address say");
        return settings with
        {
            Aliases = call.Has(_alias) ? Given(call, _alias) : settings.Aliases,
            IpamConfig = call.Get(_ip) is { } ip ? new EndpointIpamConfig { Ipv4Address = ip } : settings.IpamConfig,
            MacAddress = call.Get(_mac) ?? settings.MacAddress,
        };
    }
}

/// <summary><c>--network</c>: a name, or <c>name=N,alias=A,ip=I,mac-address=M</c>.</summary>
internal static class EndpointFlag
{
    internal static (string Name, EndpointSettings? Settings) Parse(string text)
    {
        if (!text.Contains('='))
            return (text, null);
        string? name = null;
        var settings = new EndpointSettings();
        foreach (var field in text.Split(','))
        {
            var equals = field.IndexOf('=');
            var value = equals < 0 ? "" : field[(equals + 1)..];
            switch (equals < 0 ? field : field[..equals].ToLowerInvariant())
            {
                case "name":
                    name = value;
                    break;
                case "alias":
                    settings = settings with { Aliases = [.. settings.Aliases, value] };
                    break;
                case "ip":
                    settings = settings with { IpamConfig = new EndpointIpamConfig { Ipv4Address = value } };
                    break;
                case "mac-address":
                    settings = settings with { MacAddress = value };
                    break;
                default:
                    throw new CommandException($"invalid field '{field}' in --network '{text}': known are name, alias, ip and mac-address");
            }
        }

        return name is { Length: > 0 } ? (name, settings) : throw new CommandException($"--network '{text}' needs a name");
    }
}
