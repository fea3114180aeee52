using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Cli.Daemon;

/// <summary>A range that networks' subnets are cut from.</summary>
internal sealed record AddressRange(string Base, uint Size);

/// <summary>Reads <c>base=10.0.0.0/8,size=24</c> and plain CIDR.</summary>
internal static class AddressPools
{
    internal static AddressRange? Parse(string text)
    {
        string? range = null;
        uint size = 24;
        foreach (var part in text.Split(','))
        {
            if (part.StartsWith("base=", StringComparison.Ordinal))
                range = part["base=".Length..];
            else if (part.StartsWith("size=", StringComparison.Ordinal) && uint.TryParse(part["size=".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var given))
                size = given;
            else if (part.Contains('/', StringComparison.Ordinal) && !part.Contains('=', StringComparison.Ordinal))
                range = part;
            else
                return null;
        }

        return range is not null && IPNetwork.TryParse(range, out var prefix) && prefix.BaseAddress.AddressFamily == AddressFamily.InterNetwork
            && size >= prefix.PrefixLength && size <= 29
            ? new(range, size)
            : null;
    }
}
