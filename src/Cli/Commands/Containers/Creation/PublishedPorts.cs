using System.Globalization;
using System.Net;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers.Creation;

/// <summary><c>-p [[IP:]HOST[-END]:]CONTAINER[-END][/PROTOCOL]</c> and <c>--expose PORT[-END][/PROTOCOL]</c>.</summary>
internal sealed class PublishedPorts
{
    private readonly SortedDictionary<string, EmptyObject> _exposed = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, IReadOnlyList<PortBinding>> _bindings = new(StringComparer.Ordinal);

    internal PublishedPorts(IEnumerable<string>? published, IEnumerable<string>? exposed)
    {
        foreach (var text in exposed ?? [])
        {
            var (port, protocol) = Protocol(text);
            var (first, last) = Range(port, text, "--expose");
            for (var one = first; one <= last; one++)
                _exposed[Key(one, protocol)] = new EmptyObject();
        }

        foreach (var text in published ?? [])
            Publish(text);
    }

    internal IReadOnlyDictionary<string, EmptyObject> Exposed => _exposed;

    internal IReadOnlyDictionary<string, IReadOnlyList<PortBinding>> Bindings => _bindings;

    private void Publish(string text)
    {
        var (ports, protocol) = Protocol(text);
        var colon = ports.LastIndexOf(':');
        var (first, last) = Range(ports[(colon + 1)..], text, "--publish");
        var (address, host) = Host(colon < 0 ? "" : ports[..colon], text);
        // Fewer ports of the container than of the host: each gets a free one of the range, which only one port can.
        var outside = host.Length == 0 ? ((int First, int Last)?)null : Range(host, text, "--publish");
        if (outside is { } range && range.Last - range.First != last - first && first != last)
            throw new CommandException($"invalid ranges specified for container and host Ports: '{text}'");
        for (var one = first; one <= last; one++)
        {
            var key = Key(one, protocol);
            var at = outside is not { } span ? ""
                : first == last && span.First != span.Last ? $"{span.First}-{span.Last}"
                : (span.First + one - first).ToString(CultureInfo.InvariantCulture);
            _exposed[key] = new EmptyObject();
            _bindings[key] = [.. _bindings.GetValueOrDefault(key) ?? [], new PortBinding { HostIp = address, HostPort = at }];
        }
    }

    private static (string? Address, string Port) Host(string text, string whole)
    {
        if (text.Length == 0)
            return (null, "");
        var colon = text.LastIndexOf(':');
        if (colon < 0)
            return (null, text);
        var address = text[..colon];
        if (address is ['[', .., ']'])
            address = address[1..^1];
        return address.Length == 0 || IPAddress.TryParse(address, out _)
            ? (address.Length == 0 ? null : address, text[(colon + 1)..])
            : throw new CommandException($"invalid IP address '{address}' in --publish '{whole}'");
    }

    private static (string Port, string Protocol) Protocol(string text)
    {
        var slash = text.IndexOf('/');
        return slash < 0 ? (text, "tcp") : (text[..slash], text[(slash + 1)..].ToLowerInvariant() is "tcp" or "udp" or "sctp"
            ? text[(slash + 1)..].ToLowerInvariant()
            : throw new CommandException($"invalid proto: {text[(slash + 1)..]} in '{text}': known are tcp, udp and sctp"));
    }

    private static (int First, int Last) Range(string text, string whole, string flag)
    {
        var ends = text.Split('-');
        var numbers = ends.Select(e => int.TryParse(e, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535 ? port : -1).ToList();
        return ends.Length <= 2 && !numbers.Contains(-1) && numbers[0] <= numbers[^1]
            ? (numbers[0], numbers[^1])
            : throw new CommandException($"invalid {flag} '{whole}': '{text}' is no port or range of ports");
    }

    private static string Key(int port, string protocol) => string.Create(CultureInfo.InvariantCulture, $"{port}/{protocol}");
}
