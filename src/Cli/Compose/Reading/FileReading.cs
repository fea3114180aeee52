using Orchestrator.Cli.Compose.Syntax;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>The top level of a stack file.</summary>
internal sealed class FileReading(ReadingContext context)
{
    private readonly ProblemList _problems = context.Problems;

    /// <summary>Services whose profiles nobody asked for: judged, and left out.</summary>
    private readonly HashSet<string> _leftOut = new(StringComparer.Ordinal);

    internal ComposeFile Read(MappingNode source)
    {
        var top = new MapReader(source, "", _problems);
        top.TextOrNumber("version");
        var name = top.Text("name");
        top.Refuse("include", "does not work yet: give the files with -c one after another");
        top.Refuse("models", "does not work: orch runs containers only");

        var networks = top.Map("networks") is { } section ? ReadNetworks(section) : [];
        var volumes = top.Map("volumes") is { } kept ? ReadVolumes(kept) : [];
        var declared = (top.Take("volumes") as MappingNode)?.Entries.Select(e => e.Key).ToHashSet(StringComparer.Ordinal) ?? [];
        var payloads = new PayloadReading(context);
        var (secrets, configs) = (payloads.Read(top, "secrets"), payloads.Read(top, "configs"));
        IReadOnlyList<ComposeService> services = [];
        if (top.Map("services") is { } all)
        {
            services = ReadServices(all, declared);
            CheckNetworks(services, networks);
            DependencyChecks.Check(services, _leftOut, _problems);
            payloads.Check("secrets", "secret", services, s => s.Secrets, secrets);
            payloads.Check("configs", "config", services, s => s.Configs, configs);
        }
        else if (top.PlaceOf("services") is null)
        {
            _problems.Add(source.At, "the file has no key 'services'");
        }
        top.Close();
        WarnOfIgnored(source);
        return new ComposeFile { Name = name, Services = services, Networks = networks, Volumes = volumes, Secrets = secrets, Configs = configs, Source = source };
    }

    private void RefuseEach(MapReader top, string key, string sentence)
    {
        if (top.Take(key) is MappingNode declared)
        {
            foreach (var entry in declared.Entries)
                _problems.Add(entry.At, $"{key}.{entry.Key}: {sentence}");
        }
        else if (top.Take(key) is { } other)
        {
            top.Wrong(other, key, "a mapping");
        }
    }

    private List<ComposeService> ReadServices(MapReader section, HashSet<string> volumes)
    {
        var services = new List<ComposeService>();
        foreach (var entry in section.Entries)
        {
            if (entry.Key.StartsWith("x-", StringComparison.Ordinal))
                continue;
            if (!IsName(entry.Key))
                _problems.Add(entry.At, $"'{entry.Key}' cannot name a service: use letters, digits, '.', '_' and '-', beginning with a letter or digit");
            if (entry.Value is MappingNode body)
            {
                var reader = new MapReader(body, $"services.{entry.Key}", _problems);
                var asked = IsAskedFor(reader.Texts("profiles"));
                var service = new ServiceReading(context, entry, volumes).Read(reader);
                if (asked)
                    services.Add(service);
                else
                    _leftOut.Add(entry.Key);
            }
            else
            {
                _problems.Add(entry.Value.At, $"services.{entry.Key} must be a mapping, not {entry.Value.Kind}");
            }
        }
        if (services.Count == 0 && !_problems.Any)
            _problems.Add(section.At, _leftOut.Count == 0 ? "the file has no service" : "the file has no service without a profile, and COMPOSE_PROFILES names none of theirs");
        return services;
    }

    /// <summary>A service without profiles always is; one with profiles when <c>COMPOSE_PROFILES</c> names one of them, or <c>*</c>.</summary>
    private bool IsAskedFor(IReadOnlyList<string> profiles)
    {
        var wanted = (context.Variable("COMPOSE_PROFILES") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return profiles.Count == 0 || wanted.Contains("*") || profiles.Any(wanted.Contains);
    }

    private List<ComposeNetwork> ReadNetworks(MapReader section)
    {
        var networks = new List<ComposeNetwork>();
        foreach (var entry in section.Entries.Where(e => !e.Key.StartsWith("x-", StringComparison.Ordinal)))
        {
            if (!IsName(entry.Key))
                _problems.Add(entry.At, $"'{entry.Key}' cannot name a network: use letters, digits, '.', '_' and '-', beginning with a letter or digit");
            switch (entry.Value)
            {
                case MappingNode body:
                    networks.Add(NetworkReading.Read(new MapReader(body, $"networks.{entry.Key}", _problems), entry));
                    break;
                case ScalarNode { IsNull: true }:
                    networks.Add(new ComposeNetwork { Key = entry.Key, At = entry.At });
                    break;
                default:
                    _problems.Add(entry.Value.At, $"networks.{entry.Key} must be a mapping, not {entry.Value.Kind}");
                    break;
            }
        }
        return networks;
    }

    private List<ComposeVolume> ReadVolumes(MapReader section)
    {
        var volumes = new List<ComposeVolume>();
        foreach (var entry in section.Entries.Where(e => !e.Key.StartsWith("x-", StringComparison.Ordinal)))
        {
            if (!IsName(entry.Key))
                _problems.Add(entry.At, $"'{entry.Key}' cannot name a volume: use letters, digits, '.', '_' and '-', beginning with a letter or digit");
            if (entry.Value is MappingNode body)
                volumes.Add(VolumeReading.Read(new MapReader(body, $"volumes.{entry.Key}", _problems), entry));
            else if (entry.Value is ScalarNode { IsNull: true })
                volumes.Add(new ComposeVolume { Key = entry.Key, At = entry.At });
            else
                _problems.Add(entry.Value.At, $"volumes.{entry.Key} must be a mapping, not {entry.Value.Kind}");
        }

        return volumes;
    }

    private void CheckNetworks(IReadOnlyList<ComposeService> services, IReadOnlyList<ComposeNetwork> networks)
    {
        var known = networks.Select(n => n.Key).Append("default").ToHashSet(StringComparer.Ordinal);
        foreach (var service in services)
        {
            foreach (var attachment in service.Networks.Where(a => !known.Contains(a.Network)))
            {
                var hint = Values.Spelling.Nearest(attachment.Network, known) is { } near ? $", did you mean '{near}'?" : "";
                _problems.Add(attachment.At, $"services.{service.Name} joins the network '{attachment.Network}', which the file does not declare{hint}");
            }
        }
    }

    /// <summary>Docker's own words, one line for the whole file (docker/cli, cli/command/stack/loader).</summary>
    private void WarnOfIgnored(MappingNode source)
    {
        if (source.Find("services")?.Value is not MappingNode services)
            return;
        var used = services.Entries.Select(e => e.Value).OfType<MappingNode>()
            .SelectMany(s => s.Entries.Select(e => e.Key)).ToHashSet(StringComparer.Ordinal);
        string[] ignored = [.. IgnoredKeys.Unsupported.Where(used.Contains).Order(StringComparer.Ordinal)];
        if (ignored.Length > 0)
            _problems.Warn($"Ignoring unsupported options: {string.Join(", ", ignored)}");
        string[] deprecated = [.. IgnoredKeys.Deprecated.Where(d => used.Contains(d.Key)).Select(d => $"{d.Key}: {d.Value}").Order(StringComparer.Ordinal)];
        if (deprecated.Length > 0)
            _problems.Warn($"Ignoring deprecated options:\n\n{string.Join("\n\n", deprecated)}\n");
    }

    internal static bool IsName(string text) =>
        text.Length > 0 && char.IsAsciiLetterOrDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
