using Orchestrator.Cli.Compose.Syntax;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>One entry of <c>services</c>.</summary>
/// <param name="declaredVolumes">Names that the top level declares.</param>
internal sealed partial class ServiceReading(ReadingContext context, MappingEntry entry, HashSet<string> declaredVolumes)
{
    private readonly ProblemList _problems = context.Problems;

    internal ComposeService Read(MapReader body)
    {
        foreach (var key in IgnoredKeys.Unsupported)
            body.Take(key);
        foreach (var (key, _) in IgnoredKeys.Deprecated)
            body.Take(key);
        foreach (var (key, sentence) in IgnoredKeys.Refused)
            body.Refuse(key, sentence);

        var deploy = ReadDeploy(body);
        var image = Image(body);
        var build = ReadBuild(body);
        if (image is null && build is null && body.PlaceOf("image") is null && body.PlaceOf("build") is null
            && !body.Entries.Any(e => Values.Spelling.Nearest(e.Key, ["image", "build"]) is not null))
        {
            _problems.Add(entry.At, $"services.{entry.Key} has neither 'image' nor 'build'");
        }
        var service = new ComposeService
        {
            Name = entry.Key,
            At = entry.At,
            Image = image,
            Build = build,
            Container = Container(body),
            Environment = Environment(body),
            Labels = body.Labels("labels"),
            ServiceLabels = deploy.Labels,
            Ports = Ports(body),
            Networks = Attachments(body),
            Secrets = Payloads(body, "secrets"),
            Configs = Payloads(body, "configs"),
            Mode = deploy.Mode,
            Resources = deploy.Resources,
            RestartPolicy = deploy.RestartPolicy,
            Placement = deploy.Placement,
            UpdateConfig = deploy.UpdateConfig,
            RollbackConfig = deploy.RollbackConfig,
            EndpointMode = deploy.EndpointMode,
            Logging = Logging(body),
            DependsOn = DependsOn(body),
        };
        body.Close();
        return service;
    }

    private string? Image(MapReader body)
    {
        var image = body.TextOrNumber("image");
        if (image is not null && (image.Length == 0 || image.Any(char.IsWhiteSpace)))
        {
            if (_problems.Has(body.Take("image")!.At))
                return null;
            _problems.Add(body.Take("image")!.At, $"{body.Subject}.image is '{image}', which cannot name an image");
            return null;
        }
        return image;
    }

    private ContainerSpec Container(MapReader body)
    {
        var grace = body.Duration("stop_grace_period");
        return new ContainerSpec
        {
            Command = body.Words("entrypoint") ?? [],
            Args = body.Words("command") ?? [],
            Hostname = body.TextOrNumber("hostname"),
            Dir = body.Text("working_dir"),
            User = body.TextOrNumber("user"),
            Groups = body.Texts("group_add"),
            Tty = body.Flag("tty") ?? false,
            OpenStdin = body.Flag("stdin_open") ?? false,
            ReadOnly = body.Flag("read_only") ?? false,
            Mounts = [.. Volumes(body), .. TmpfsMounts(body)],
            StopSignal = body.TextOrNumber("stop_signal"),
            StopGracePeriod = grace,
            Healthcheck = Healthcheck(body),
            Hosts = Hosts(body),
            DnsConfig = Dns(body),
            OomScoreAdj = OomScore(body),
            Init = body.Flag("init"),
            Sysctls = body.Labels("sysctls"),
            CapabilityAdd = Capabilities(body, "cap_add"),
            CapabilityDrop = Capabilities(body, "cap_drop"),
            Ulimits = Ulimits(body),
            Privileges = Security(body),
        };
    }

    private List<string> Capabilities(MapReader body, string key) =>
        [.. body.Texts(key).Select(c => c.ToUpperInvariant()).Select(c => c == "ALL" || c.StartsWith("CAP_", StringComparison.Ordinal) ? c : "CAP_" + c)];

    private long OomScore(MapReader body)
    {
        var score = body.Whole("oom_score_adj") ?? 0;
        if (score is < -1000 or > 1000)
            _problems.Add(body.Take("oom_score_adj")!.At, $"{body.Subject}.oom_score_adj must be from -1000 to 1000, not {score}");
        return score;
    }

    /// <summary>The Engine wants <c>IP name</c>, as a line of /etc/hosts.</summary>
    private List<string> Hosts(MapReader body)
    {
        var hosts = new List<string>();
        foreach (var pair in body.Pairs("extra_hosts", separator: ':'))
        {
            var address = pair.Value?.Trim() is ['[', .. var inner, ']'] ? inner : pair.Value?.Trim();
            if (address is "host-gateway")
                _problems.Add(pair.At, $"{body.Subject}.extra_hosts: 'host-gateway' does not work in a service: it may run on any host");
            else if (pair.Name.Length == 0 || !System.Net.IPAddress.TryParse(address, out _))
                _problems.Add(pair.At, $"{body.Subject}.extra_hosts: '{pair.Name}{(pair.Value is null ? "" : "=" + pair.Value)}' is not NAME=IP");
            else
                hosts.Add($"{address} {pair.Name}");
        }
        return hosts;
    }

    private DnsConfig? Dns(MapReader body)
    {
        var servers = body.ScalarOrScalars("dns");
        foreach (var server in servers.Where(s => !System.Net.IPAddress.TryParse(s.Text, out _)))
            _problems.Add(server.At, $"{body.Subject}.dns: '{server.Text}' is not an IP address");
        var config = new DnsConfig
        {
            Nameservers = [.. servers.Select(s => s.Text)],
            Search = body.TextOrTexts("dns_search"),
            Options = body.Texts("dns_opt"),
        };
        return config.Nameservers.Count + config.Search.Count + config.Options.Count > 0 ? config : null;
    }

    private List<Ulimit> Ulimits(MapReader body)
    {
        var limits = new List<Ulimit>();
        if (body.Map("ulimits") is not { } map)
            return limits;
        foreach (var limit in map.Entries)
        {
            if (limit.Value is MappingNode both)
            {
                var pair = new MapReader(both, $"{map.Subject}.{limit.Key}", _problems);
                var (soft, hard) = (pair.Whole("soft"), pair.Whole("hard"));
                pair.Close();
                if (soft is null || hard is null)
                    _problems.Add(limit.At, $"{map.Subject}.{limit.Key} needs both 'soft' and 'hard', or one number for both");
                else
                    limits.Add(new Ulimit { Name = limit.Key, Soft = soft.Value, Hard = hard.Value });
            }
            else if (map.Whole(limit.Key) is { } one)
            {
                limits.Add(new Ulimit { Name = limit.Key, Soft = one, Hard = one });
            }
        }
        return limits;
    }

    private LogDriver? Logging(MapReader body)
    {
        if (body.Map("logging") is not { } map)
            return null;
        var logging = new LogDriver { Name = map.Text("driver") ?? "json-file", Options = map.Labels("options") };
        map.Close();
        return logging;
    }

    private List<ComposeAttachment> Attachments(MapReader body)
    {
        switch (body.Take("networks"))
        {
            case null:
                return [];
            case SequenceNode:
                return [.. body.ScalarOrScalars("networks").Select(s => new ComposeAttachment(s.Text, s.At, [], new Dictionary<string, string>()))];
            case MappingNode map:
                return [.. map.Entries.Select(e => Attachment(e, body))];
            case var node:
                body.Wrong(node, "networks", "a list or a mapping");
                return [];
        }
    }

    private ComposeAttachment Attachment(MappingEntry network, MapReader body)
    {
        if (network.Value is not MappingNode inner)
        {
            if (network.Value is not ScalarNode { IsNull: true })
                body.Wrong(network.Value, $"networks.{network.Key}", "a mapping");
            return new ComposeAttachment(network.Key, network.At, [], new Dictionary<string, string>());
        }
        var map = new MapReader(inner, $"{body.Subject}.networks.{network.Key}", _problems);
        foreach (var key in (string[])["ipv4_address", "ipv6_address", "link_local_ips", "mac_address"])
            map.Refuse(key, "does not work: the cluster gives each replica its own address");
        map.Refuse("interface_name", "does not work yet");
        map.Refuse("gw_priority", "does not work yet");
        map.Take("priority");
        var attachment = new ComposeAttachment(network.Key, network.At, map.Texts("aliases"), map.Labels("driver_opts"));
        map.Close();
        return attachment;
    }
}
