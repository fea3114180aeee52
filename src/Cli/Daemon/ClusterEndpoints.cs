using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Daemon;

/// <summary>Where the cluster port listens and how others reach it.</summary>
/// <param name="Listen">What it is bound to.</param>
/// <param name="Address">The host's own address as others know it.</param>
/// <param name="Advertised"><c>host:port</c>.</param>
internal sealed record ClusterEndpoints(IPEndPoint Listen, string Address, string Advertised)
{
    internal const int DefaultPort = 2377;
    internal const string DefaultListen = "0.0.0.0:2377";

    /// <summary>Reads <c>--listen-addr</c> and <c>--advertise-addr</c>, each an address or an interface with or without a port.</summary>
    /// <param name="listen">Null or empty: every address, port 2377.</param>
    /// <param name="advertise">Null or empty: the listening address if it is one, else <paramref name="usual"/>.</param>
    /// <param name="addresses">This host's by interface.</param>
    /// <param name="usual">The address to advertise when none is named; null: the host's first.</param>
    /// <param name="problems">Receives what is wrong.</param>
    internal static ClusterEndpoints? Read(
        string? listen, string? advertise, IReadOnlyList<(string Interface, IPAddress Address)> addresses, IPAddress? usual, List<Problem> problems)
    {
        var bound = Resolve("ListenAddr", listen is null or "" ? DefaultListen : listen, DefaultPort, addresses, problems);
        if (bound is null)
        {
            if (advertise is { Length: > 0 })
                _ = Resolve("AdvertiseAddr", advertise, DefaultPort, addresses, problems); // every problem at once
            return null;
        }

        var fallback = !bound.Address.Equals(IPAddress.Any) && !bound.Address.Equals(IPAddress.IPv6Any) ? bound.Address
            : usual ?? (addresses.Count > 0 ? addresses[0].Address : IPAddress.Loopback);
        var told = advertise is null or "" ? new IPEndPoint(fallback, bound.Port) : Resolve("AdvertiseAddr", advertise, bound.Port, addresses, problems);
        if (told is null)
            return null;
        if (told.Address.Equals(IPAddress.Any) || told.Address.Equals(IPAddress.IPv6Any))
        {
            problems.Add(new("AdvertiseAddr", $"'{advertise}' is every address and so none that others could reach: name one, or an interface"));
            return null;
        }

        return new(bound, told.Address.ToString(), told.ToString());
    }

    /// <summary>The endpoint a stored <c>address:port</c> names; a host's name is looked up when it is dialled.</summary>
    internal static EndPoint? Parse(string text)
    {
        if (IPEndPoint.TryParse(text, out var endpoint))
            return endpoint.Port == 0 ? new IPEndPoint(endpoint.Address, DefaultPort) : endpoint;
        var (host, port) = Split(text);
        if (host.Length == 0 || host.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_')))
            return null;
        return port is null ? new DnsEndPoint(host, DefaultPort)
            : ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? new DnsEndPoint(host, number)
            : null;
    }

    /// <summary>This host's address on the way to another one.</summary>
    internal static IPAddress? Toward(EndPoint remote)
    {
        try
        {
            using var probe = new Socket(SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(remote); // sends nothing: it only chooses a route
            return probe.LocalEndPoint is IPEndPoint { Address: { } address } ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address : null;
        }
        catch (SocketException)
        {
            return null; // no way there, which the join itself will tell
        }
    }

    private static IPEndPoint? Resolve(
        string where, string text, int defaultPort, IReadOnlyList<(string Interface, IPAddress Address)> addresses, List<Problem> problems)
    {
        // "2377", ":2377" and "0.0.0.0:2377" all mean every address to stock clients.
        if (text.StartsWith(':'))
            text = "0.0.0.0" + text;
        if (IPAddress.TryParse(text, out var plain))
            return new(plain, defaultPort);
        if (IPEndPoint.TryParse(text, out var endpoint))
            return endpoint.Port == 0 ? new(endpoint.Address, defaultPort) : endpoint;
        var (host, port) = Split(text);
        var number = (ushort)defaultPort;
        if (port is not null && (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out number) || number == 0))
        {
            problems.Add(new(where, $"'{text}': {port} is not a port"));
            return null;
        }

        if (addresses.FirstOrDefault(a => a.Interface == host) is { Address: { } ofInterface })
            return new(ofInterface, number);
        problems.Add(new(where, $"'{text}' is neither an address nor an interface of this host with an IPv4 address"));
        return null;
    }

    private static (string Host, string? Port) Split(string text) =>
        text.LastIndexOf(':') is var colon and >= 0 ? (text[..colon], text[(colon + 1)..]) : (text, null);
}
