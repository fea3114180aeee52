using System.CommandLine;
using System.Globalization;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Services;

/// <summary><c>--secret</c> and <c>--config</c>, on update with <c>-add</c> and <c>-rm</c>: a name, or <c>source=…,target=…,uid=…,gid=…,mode=0400</c>.</summary>
internal sealed class PayloadFlags
{
    private const uint ReadableByAll = 0x124; // 0444

    private readonly Option<string[]> _secret;
    private readonly Option<string[]> _config;
    private readonly Option<string[]>? _secretRm;
    private readonly Option<string[]>? _configRm;

    private PayloadFlags(string add, bool removal)
    {
        _secret = Flags.List("--secret" + add, add.Length == 0 ? "Specify secrets to expose to the service" : "Add or update a secret on a service", "secret");
        _config = Flags.List("--config" + add, add.Length == 0 ? "Specify configurations to expose to the service" : "Add or update a config file on a service", "config");
        if (!removal)
            return;
        _secretRm = Flags.List("--secret-rm", "Remove a secret", "list");
        _configRm = Flags.List("--config-rm", "Remove a configuration file", "list");
    }

    internal static PayloadFlags ForCreate() => new("", removal: false);

    internal static PayloadFlags ForUpdate() => new("-add", removal: true);

    internal IEnumerable<Option> All => ((IEnumerable<Option?>)[_secret, _config, _secretRm, _configRm]).OfType<Option>();

    /// <summary>Removals come first, so that a secret can be taken off and put to another target in one update.</summary>
    internal ServiceSpec Apply(Invocation call, ServiceSpec spec)
    {
        var container = spec.TaskTemplate.ContainerSpec ?? new ContainerSpec();
        var secrets = container.Secrets.Where(s => !Removed(call, _secretRm).Contains(s.SecretName));
        var configs = container.Configs.Where(c => !Removed(call, _configRm).Contains(c.ConfigName));
        return spec with
        {
            TaskTemplate = spec.TaskTemplate with
            {
                ContainerSpec = container with
                {
                    Secrets = [.. secrets, .. (call.Get(_secret) ?? []).Select(t => Parse(t, _secret.Name)).Select(r => new SecretReference { SecretName = r.Source, File = r.File })],
                    Configs = [.. configs, .. (call.Get(_config) ?? []).Select(t => Parse(t, _config.Name)).Select(r => new ConfigReference { ConfigName = r.Source, File = r.File })],
                },
            },
        };
    }

    internal static (string Source, ReferenceFile File) Parse(string text, string flag)
    {
        if (!text.Contains('=') && !text.Contains(','))
            return text.Length > 0 ? (text, new ReferenceFile { Name = text, Mode = ReadableByAll }) : throw Bad("it names nothing");
        var source = "";
        var file = new ReferenceFile { Mode = ReadableByAll };
        foreach (var field in text.Split(','))
        {
            var equals = field.IndexOf('=');
            if (equals < 0)
                throw Bad($"invalid field '{field}' must be a key=value pair");
            var value = field[(equals + 1)..];
            switch (field[..equals].ToLowerInvariant())
            {
                case "source" or "src":
                    source = value;
                    break;
                case "target":
                    file = file with { Name = value };
                    break;
                case "uid" when uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _):
                    file = file with { Uid = value };
                    break;
                case "gid" when uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _):
                    file = file with { Gid = value };
                    break;
                case "mode":
                    file = file with { Mode = Mode(value) ?? throw Bad($"'{value}' is not a file mode: write it in octal, as in mode=0400") };
                    break;
                case "uid" or "gid":
                    throw Bad($"'{value}' is not a number");
                default:
                    throw Bad($"invalid field '{field[..equals]}'");
            }
        }
        if (source.Length == 0)
            throw Bad("source is required");
        return (source, file.Name.Length > 0 ? file : file with { Name = source });

        CommandException Bad(string why) => new($"invalid argument '{text}' for {flag}: {why}");
    }

    /// <summary>As Go reads numbers: octal after 0 or 0o, else decimal.</summary>
    private static uint? Mode(string text)
    {
        var octal = text.StartsWith("0o", StringComparison.Ordinal) ? text[2..] : text is ['0', ..] ? text : null;
        if (octal is null)
            return uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        return octal.Length is > 0 and <= 6 && octal.All(c => c is >= '0' and <= '7') ? Convert.ToUInt32(octal, 8) : null;
    }

    private static string[] Removed(Invocation call, Option<string[]>? option) => option is null ? [] : call.Get(option) ?? [];
}
