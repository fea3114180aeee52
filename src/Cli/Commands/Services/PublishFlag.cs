using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Services;

/// <summary><c>--publish</c>: <c>8080:80/tcp</c>, or <c>published=8080,target=80,protocol=tcp,mode=ingress</c>.</summary>
internal static class PublishFlag
{
    internal static IReadOnlyList<PortConfig> Parse(string text)
    {
        if (!text.Contains('='))
        {
            var ports = PortSpecs.Parse(text);
            return ports.Error is null ? ports.Value : throw new CommandException(ports.Error);
        }
        string? target = null, published = null, protocol = "tcp", mode = "ingress";
        foreach (var field in text.Split(','))
        {
            var equals = field.IndexOf('=');
            var value = equals < 0 ? "" : field[(equals + 1)..];
            switch (equals < 0 ? field : field[..equals].ToLowerInvariant())
            {
                case "target":
                    target = value;
                    break;
                case "published":
                    published = value;
                    break;
                case "protocol" when value is "tcp" or "udp" or "sctp":
                    protocol = value;
                    break;
                case "mode" when value is "ingress" or "host":
                    mode = value;
                    break;
                default:
                    throw new CommandException($"invalid field '{field}' in --publish '{text}'");
            }
        }
        if (target is null)
            throw new CommandException($"--publish '{text}' needs a target");
        var parsed = PortSpecs.Parse($"{published}:{target}/{protocol}");
        return parsed.Error is null ? [.. parsed.Value.Select(p => p with { PublishMode = mode })] : throw new CommandException(parsed.Error);
    }
}

/// <summary><c>--network</c>: a name, or <c>name=N,alias=A,driver-opt=K=V</c>.</summary>
internal static class NetworkFlag
{
    internal static NetworkAttachmentConfig Parse(string text)
    {
        if (!text.Contains('='))
            return new NetworkAttachmentConfig { Target = text };
        string? name = null;
        var aliases = new List<string>();
        var options = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var field in text.Split(','))
        {
            var equals = field.IndexOf('=');
            var value = equals < 0 ? "" : field[(equals + 1)..];
            switch (equals < 0 ? field : field[..equals])
            {
                case "name":
                    name = value;
                    break;
                case "alias":
                    aliases.Add(value);
                    break;
                case "driver-opt" when value.IndexOf('=') is > 0 and var at:
                    options[value[..at]] = value[(at + 1)..];
                    break;
                default:
                    throw new CommandException($"invalid field '{field}' in --network '{text}': known are name, alias and driver-opt");
            }
        }
        return name is { Length: > 0 }
            ? new NetworkAttachmentConfig { Target = name, Aliases = aliases, DriverOpts = options }
            : throw new CommandException($"--network '{text}' needs a name");
    }
}
