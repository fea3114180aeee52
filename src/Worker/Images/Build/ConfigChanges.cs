using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Worker.Images.Build;

/// <summary>Instructions that only change the config: a function from config to config.</summary>
internal static partial class ConfigChanges
{
    private static readonly ImmutableArray<string> _defaultShell = ["/bin/sh", "-c"];

    /// <summary>The config that a list of instructions makes from nothing (<c>image import --change</c>).</summary>
    /// <exception cref="ImageException">Some of them are wrong; the message names all.</exception>
    internal static ImageConfig Parse(ImmutableArray<string> changes) => Parse(changes, new());

    /// <summary>The config that a list of instructions makes of another one (<c>commit --change</c>).</summary>
    /// <exception cref="ImageException">Some of them are wrong; the message names all.</exception>
    internal static ImageConfig Parse(ImmutableArray<string> changes, ImageConfig config)
    {
        var dockerfile = DockerfileParser.Parse("FROM scratch\n" + string.Join('\n', changes));
        var problems = dockerfile.Problems.Select(p => p.Message).ToList();
        foreach (var instruction in dockerfile.Instructions.Skip(1))
        {
            if (instruction.Keyword is "FROM" or "RUN" or "COPY" or "ADD" or "ARG" or "SHELL" or "MAINTAINER")
                problems.Add($"{instruction.Keyword} is not a valid change command");
            else if (problems.Count == 0)
                config = Apply(config, instruction, dockerfile.Escape, name => EnvOf(config, name));
        }
        return problems.Count == 0 ? config : throw ImageException.Invalid(string.Join('\n', problems));
    }

    internal static string? EnvOf(ImageConfig config, string name) =>
        config.Env?.LastOrDefault(e => e.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];

    internal static ImmutableArray<string> ShellOf(ImageConfig config) => config.Shell is { Length: > 0 } shell ? shell : _defaultShell;

    /// <summary>What a shell or exec form runs.</summary>
    internal static ImmutableArray<string> Command(ImageConfig config, Instruction instruction) =>
        instruction.Exec ?? [.. ShellOf(config), instruction.Rest];

    /// <summary>The config after one instruction.</summary>
    /// <exception cref="FormatException">Substitution found something wrong.</exception>
    internal static ImageConfig Apply(ImageConfig config, Instruction instruction, char escape, Func<string, string?> lookup)
    {
        string One() => Words.Expand(instruction.Rest, escape, lookup);
        return instruction.Keyword switch
        {
            "ENV" => KeyValues.Read(instruction, escape, lookup).Aggregate(config, (c, pair) => c with { Env = SetEnv(c.Env ?? [], pair.Key, pair.Value) }),
            "LABEL" => config with { Labels = (config.Labels ?? Empty<string>()).SetItems(KeyValues.Read(instruction, escape, lookup)) },
            "WORKDIR" => config with { WorkingDir = Join(config.WorkingDir, One()) },
            "USER" => config with { User = One() },
            "STOPSIGNAL" => config with { StopSignal = One() },
            "SHELL" => config with { Shell = instruction.Exec },
            "CMD" => config with { Cmd = Command(config, instruction) },
            // A new entry point makes the inherited arguments meaningless.
            "ENTRYPOINT" => config with { Entrypoint = Command(config, instruction), Cmd = null },
            "EXPOSE" => config with { ExposedPorts = (config.ExposedPorts ?? Empty<EmptyObject>()).SetItems(Exposed(instruction, escape, lookup)) },
            "VOLUME" => config with { Volumes = (config.Volumes ?? Empty<EmptyObject>()).SetItems(Volumes(instruction, escape, lookup)) },
            "HEALTHCHECK" => config with { Healthcheck = Healthcheck(config, instruction) },
            _ => config,
        };
    }

    /// <summary>Ports of one EXPOSE argument as <c>80/tcp</c>; null when it is none.</summary>
    internal static ImmutableArray<string>? Ports(string argument)
    {
        if (PortForm().Match(argument) is not { Success: true } match)
            return null;
        var first = int.Parse(match.Groups["first"].Value, CultureInfo.InvariantCulture);
        var last = match.Groups["last"].Success ? int.Parse(match.Groups["last"].Value, CultureInfo.InvariantCulture) : first;
        var protocol = match.Groups["protocol"].Success ? match.Groups["protocol"].Value.ToLowerInvariant() : "tcp";
        return first is < 1 or > 65535 || last < first || last > 65535
            ? null
            : [.. Enumerable.Range(first, last - first + 1).Select(p => $"{p}/{protocol}")];
    }

    internal static string? HealthcheckProblem(Instruction instruction)
    {
        if (instruction.Flags.FirstOrDefault(f => f.Key == "retries" ? !int.TryParse(f.Value, out var n) || n < 0 : Nanoseconds(f.Value) is null) is { Key: not null } wrong)
            return $"invalid HEALTHCHECK --{wrong.Key}={wrong.Value}";
        var word = Words.Split(instruction.Rest)[0].ToUpperInvariant();
        if (word is not ("NONE" or "CMD"))
            return $"unknown type \"{word}\" in HEALTHCHECK (try CMD or NONE)";
        return word == "CMD" && instruction.Rest.Length == 3 ? "missing command after HEALTHCHECK CMD" : null;
    }

    private static ImageHealthcheck Healthcheck(ImageConfig config, Instruction instruction)
    {
        if (Words.Split(instruction.Rest)[0].Equals("NONE", StringComparison.OrdinalIgnoreCase))
            return new() { Test = ["NONE"] };
        var command = instruction.Rest[3..].Trim();
        _ = config;
        var exec = DockerfileParser.Array(command);
        long? Time(string flag) => instruction.Flags.TryGetValue(flag, out var value) ? Nanoseconds(value) : null;
        return new()
        {
            Test = exec is { } words ? ["CMD", .. words] : ["CMD-SHELL", command],
            Interval = Time("interval"),
            Timeout = Time("timeout"),
            StartPeriod = Time("start-period"),
            StartInterval = Time("start-interval"),
            Retries = instruction.Flags.TryGetValue("retries", out var retries) ? int.Parse(retries, CultureInfo.InvariantCulture) : null,
        };
    }

    internal static ImmutableArray<string> SetEnv(ImmutableArray<string> env, string name, string value)
    {
        var at = env.IndexOf(env.FirstOrDefault(e => e.StartsWith(name + "=", StringComparison.Ordinal))!);
        return at < 0 ? env.Add($"{name}={value}") : env.SetItem(at, $"{name}={value}");
    }

    /// <summary>An absolute, clean path; relative ones are below <paramref name="from"/>.</summary>
    internal static string Join(string? from, string path)
    {
        var parts = new List<string>();
        foreach (var part in (path.StartsWith('/') ? path : $"{from}/{path}").Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
                parts.RemoveRange(Math.Max(0, parts.Count - 1), Math.Min(1, parts.Count));
            else if (part != ".")
                parts.Add(part);
        }
        return "/" + string.Join('/', parts);
    }

    private static IEnumerable<KeyValuePair<string, EmptyObject>> Exposed(Instruction instruction, char escape, Func<string, string?> lookup) =>
        Words.Split(Words.Expand(instruction.Rest, escape, lookup))
            .SelectMany(p => Ports(p) ?? throw new FormatException($"invalid port: {p}"))
            .Select(p => KeyValuePair.Create(p, EmptyObject.Value));

    private static IEnumerable<KeyValuePair<string, EmptyObject>> Volumes(Instruction instruction, char escape, Func<string, string?> lookup) =>
        (instruction.Exec ?? [.. Words.SplitQuoted(instruction.Rest, escape)])
            .Select(v => KeyValuePair.Create(Words.Expand(v, escape, lookup), EmptyObject.Value));

    private static ImmutableSortedDictionary<string, T> Empty<T>() => ImmutableSortedDictionary.Create<string, T>(StringComparer.Ordinal);

    // Go's time.ParseDuration: 1h2m3.5s, ms, us, ns.
    private static long? Nanoseconds(string text)
    {
        if (text == "0")
            return 0;
        if (text.Length == 0 || !DurationForm().IsMatch(text))
            return null;
        var total = 0m;
        foreach (Match part in DurationPart().Matches(text))
        {
            total += decimal.Parse(part.Groups["number"].Value, CultureInfo.InvariantCulture) * part.Groups["unit"].Value switch
            {
                "h" => 3_600_000_000_000m,
                "m" => 60_000_000_000m,
                "s" => 1_000_000_000m,
                "ms" => 1_000_000m,
                "us" => 1_000m,
                _ => 1m,
            };
        }
        return total <= long.MaxValue ? (long)total : null;
    }

    [GeneratedRegex(@"\A(?<first>[0-9]{1,5})(?:-(?<last>[0-9]{1,5}))?(?:/(?<protocol>tcp|udp|sctp))?\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PortForm();

    [GeneratedRegex(@"\A(?:[0-9]+(?:\.[0-9]+)?(?:h|ms|m|us|ns|s))+\z", RegexOptions.CultureInvariant)]
    private static partial Regex DurationForm();

    [GeneratedRegex(@"(?<number>[0-9]+(?:\.[0-9]+)?)(?<unit>h|ms|m|us|ns|s)", RegexOptions.CultureInvariant)]
    private static partial Regex DurationPart();
}
