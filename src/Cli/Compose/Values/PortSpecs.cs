using System.Globalization;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Compose.Values;

/// <summary>Published ports in the short form: <c>[published[-end]:]target[-end][/protocol]</c>.</summary>
internal static class PortSpecs
{
    internal static Parsed<IReadOnlyList<PortConfig>> Parse(string text)
    {
        var spec = text.Trim();
        var slash = spec.IndexOf('/');
        var protocol = slash < 0 ? "tcp" : spec[(slash + 1)..].ToLowerInvariant();
        if (protocol is not ("tcp" or "udp" or "sctp"))
            return Not($"port '{text}' has an unknown protocol '{protocol}': known are tcp, udp and sctp");
        if (slash >= 0)
            spec = spec[..slash];

        var colon = spec.LastIndexOf(':');
        var target = spec[(colon + 1)..];
        var published = colon < 0 ? null : spec[..colon];
        if (published is not null && published.LastIndexOf(':') is var ipEnd and >= 0)
        {
            return Not($"port '{text}' names the host address '{published[..ipEnd]}': a service's port is published on every node, "
                + "so an address of one host cannot be used");
        }
        if (Range(target) is not { } inside)
            return Not(Wrong(text, target));
        if (string.IsNullOrEmpty(published))
            return Make(inside, inside with { First = 0, Last = 0 }, protocol);
        if (Range(published) is not { } outside)
            return Not(Wrong(text, published));
        if (outside.Count != inside.Count)
            return Not($"port '{text}' has ranges of different length: {outside.Count} published for {inside.Count} of the container");
        return Make(inside, outside, protocol);
    }

    /// <summary>A port number from 1 to 65535.</summary>
    internal static Parsed<int> One(string text) =>
        Range(text) is { Count: 1 } range ? range.First : Parsed<int>.Not(Wrong(text, text));

    private static Parsed<IReadOnlyList<PortConfig>> Make(PortRange inside, PortRange outside, string protocol) =>
        new([.. Enumerable.Range(0, inside.Count).Select(i => new PortConfig
        {
            Protocol = protocol,
            TargetPort = inside.First + i,
            PublishedPort = outside.First == 0 ? 0 : outside.First + i,
            PublishMode = "ingress",
        })], null);

    private static Parsed<IReadOnlyList<PortConfig>> Not(string error) => Parsed<IReadOnlyList<PortConfig>>.Not(error);

    private static string Wrong(string text, string part) => text == part
        ? $"'{text}' is not a port: a port is a whole number from 1 to 65535"
        : $"port '{text}' holds '{part}', which is not a port: a port is a whole number from 1 to 65535";

    private static PortRange? Range(string text)
    {
        var dash = text.IndexOf('-');
        if (Number(dash < 0 ? text : text[..dash]) is not { } first)
            return null;
        if (dash < 0)
            return new PortRange(first, first);
        return Number(text[(dash + 1)..]) is { } last && last >= first ? new PortRange(first, last) : null;
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65535 ? port : null;

    private readonly record struct PortRange(int First, int Last)
    {
        internal int Count => Last - First + 1;
    }
}
