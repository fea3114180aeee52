using System.Globalization;
using System.Net;

namespace Orchestrator.Cli.Daemon;

/// <summary>Where the Engine API is, as text: <c>tcp://HOST[:PORT]</c>.</summary>
internal static class ApiAddress
{
    /// <summary>Docker's for the API under TLS.</summary>
    internal const int DefaultPort = 2376;

    private const string Scheme = "tcp://";

    internal static bool IsTcp(string text) => text.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>The host and the port of <c>tcp://HOST[:PORT]</c>, an IPv6 address in brackets.</summary>
    /// <param name="misread">What is wrong with it, to be said after the text itself.</param>
    internal static (string Host, int Port)? Parse(string text, out string misread)
    {
        misread = "";
        var rest = text[Scheme.Length..].TrimEnd('/');
        if (rest.IndexOfAny(['/', '?', '@', ' ']) >= 0)
        {
            misread = "has more than an address and a port: write tcp://ADDRESS:PORT";
            return null;
        }

        var end = rest.StartsWith('[') ? rest.IndexOf(']') + 1 : rest.IndexOf(':');
        if (end < 0)
            end = rest.Length;
        var host = rest[..end].Trim('[', ']');
        if (host.Length == 0 || (rest.StartsWith('[') && end == 0))
        {
            misread = "names no address: write tcp://ADDRESS:PORT (0.0.0.0 is every address of a host)";
            return null;
        }

        if (end == rest.Length)
            return (host, DefaultPort);
        if (rest[end] == ':' && ushort.TryParse(rest[(end + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0)
            return (host, port);
        misread = $"has '{rest[end..].TrimStart(':')}' for a port, which is a whole number from 1 to 65535; an IPv6 address stands in brackets";
        return null;
    }

    /// <summary>Where a daemon is told to listen: an address of its own and no name, so that what is opened is what is read.</summary>
    internal static IPEndPoint? Listen(string text, out string misread)
    {
        if (Parse(text, out misread) is not { } place)
            return null;
        if (place.Host == "localhost")
            return new(IPAddress.Loopback, place.Port);
        if (IPAddress.TryParse(place.Host, out var address))
            return new(address, place.Port);
        misread = $"has '{place.Host}' for an address: name an address of this host, 0.0.0.0 for every one, or localhost";
        return null;
    }
}
