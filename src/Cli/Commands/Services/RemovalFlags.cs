using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Client;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Services;

/// <summary>The <c>-rm</c> flags of <c>service update</c>: what goes from a spec before anything is added to it.</summary>
internal sealed class RemovalFlags
{
    private readonly Option<string[]> _env = Flags.List("--env-rm", "Remove an environment variable", "list");
    private readonly Option<string[]> _label = Flags.List("--label-rm", "Remove a label by its key", "list");
    private readonly Option<string[]> _containerLabel = Flags.List("--container-label-rm", "Remove a container label by its key", "list");
    private readonly Option<string[]> _constraint = Flags.List("--constraint-rm", "Remove a constraint", "list");
    private readonly Option<string[]> _preference = Flags.List("--placement-pref-rm", "Remove a placement preference", "pref");
    private readonly Option<string[]> _publish = Flags.List("--publish-rm", "Remove a published port by its target port", "port");
    private readonly Option<string[]> _mount = Flags.List("--mount-rm", "Remove a mount by its target path", "list");
    private readonly Option<string[]> _network = Flags.List("--network-rm", "Remove a network", "list");
    private readonly Option<string[]> _host = Flags.List("--host-rm", "Remove a custom host-to-IP mapping (host or host:ip)", "list");
    private readonly Option<string[]> _dns = Flags.List("--dns-rm", "Remove a custom DNS server", "list");
    private readonly Option<string[]> _dnsSearch = Flags.List("--dns-search-rm", "Remove a DNS search domain", "list");
    private readonly Option<string[]> _dnsOption = Flags.List("--dns-option-rm", "Remove a DNS option", "list");
    private readonly Option<string[]> _group = Flags.List("--group-rm", "Remove a supplementary user group from the container", "list");
    private readonly Option<string[]> _sysctl = Flags.List("--sysctl-rm", "Remove a Sysctl option", "list");
    private readonly Option<string[]> _ulimit = Flags.List("--ulimit-rm", "Remove a ulimit option", "list");

    internal IEnumerable<Option> All =>
    [
        _env, _label, _containerLabel, _constraint, _preference, _publish, _mount, _network, _host, _dns, _dnsSearch, _dnsOption, _group, _sysctl, _ulimit,
    ];

    internal async Task<ServiceSpec> ApplyAsync(Invocation call, ServiceSpec spec, CancellationToken stop)
    {
        var task = spec.TaskTemplate;
        var networks = await NetworksAsync(call, stop);
        return spec with
        {
            Labels = Without(spec.Labels, call.Get(_label)),
            EndpointSpec = Endpoint(spec.EndpointSpec, call.Get(_publish)),
            TaskTemplate = task with
            {
                Networks = [.. task.Networks.Where(n => !networks.Contains(n.Target))],
                Placement = task.Placement is { } placement
                    ? placement with
                    {
                        Constraints = [.. placement.Constraints.Where(c => !Given(call, _constraint).Contains(c))],
                        Preferences = [.. placement.Preferences.Where(p => !Given(call, _preference).Contains("spread=" + p.Spread?.SpreadDescriptor))],
                    }
                    : null,
                ContainerSpec = Container(call, task.ContainerSpec ?? new ContainerSpec()),
            },
        };
    }

    private ContainerSpec Container(Invocation call, ContainerSpec container) => container with
    {
        Env = [.. container.Env.Where(v => !Given(call, _env).Contains(v.Split('=')[0]))],
        Labels = Without(container.Labels, call.Get(_containerLabel)),
        Mounts = [.. container.Mounts.Where(m => !Given(call, _mount).Contains(m.Target))],
        Hosts = [.. container.Hosts.Where(line => !Given(call, _host).Any(h => Names(line, h)))],
        Groups = [.. container.Groups.Where(g => !Given(call, _group).Contains(g))],
        Sysctls = Without(container.Sysctls, call.Get(_sysctl)),
        Ulimits = [.. container.Ulimits.Where(u => !Given(call, _ulimit).Contains(u.Name))],
        DnsConfig = container.DnsConfig is { } dns
            ? dns with
            {
                Nameservers = [.. dns.Nameservers.Where(s => !Given(call, _dns).Contains(s))],
                Search = [.. dns.Search.Where(s => !Given(call, _dnsSearch).Contains(s))],
                Options = [.. dns.Options.Where(s => !Given(call, _dnsOption).Contains(s))],
            }
            : null,
    };

    /// <summary>Specs hold ids where people say names.</summary>
    private async Task<HashSet<string>> NetworksAsync(Invocation call, CancellationToken stop)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in Given(call, _network))
        {
            found.Add(name);
            found.Add((await call.Client.GetAsync<Network>($"/networks/{EngineClient.Name(name)}", stop)).Id.Value);
        }

        return found;
    }

    private static EndpointSpec? Endpoint(EndpointSpec? endpoint, string[]? ports)
    {
        if (endpoint is null || ports is not { Length: > 0 })
            return endpoint;
        foreach (var port in ports)
        {
            if (!int.TryParse(port.Split('/')[0], NumberStyles.None, CultureInfo.InvariantCulture, out _))
                throw new CommandException($"invalid port '{port}' for --publish-rm: write the target port, as in 80 or 80/udp");
        }

        return endpoint with { Ports = [.. endpoint.Ports.Where(p => !ports.Contains($"{p.TargetPort}") && !ports.Contains($"{p.TargetPort}/{p.Protocol}"))] };
    }

    /// <summary>A line of /etc/hosts against <c>host</c> or <c>host:ip</c>.</summary>
    private static bool Names(string line, string host)
    {
        var words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var colon = host.IndexOf(':');
        return colon < 0 ? words.Skip(1).Contains(host) : words.Skip(1).Contains(host[..colon]) && words[0] == host[(colon + 1)..].Trim('[', ']');
    }

    private static string[] Given(Invocation call, Option<string[]> option) => call.Get(option) ?? [];

    private static Dictionary<string, string> Without(IReadOnlyDictionary<string, string> pairs, string[]? keys) =>
        pairs.Where(l => !(keys ?? []).Contains(l.Key)).ToDictionary(StringComparer.Ordinal);
}
