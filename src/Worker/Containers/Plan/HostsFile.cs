using System.Net;
using System.Text;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>The text of a container's <c>/etc/hosts</c>.</summary>
internal static class HostsFile
{
    private const string HostGateway = "host-gateway";

    internal static string Of(
        string hostname, string? domainname, IReadOnlyList<IPAddress> addresses, IPAddress? gateway, IReadOnlyList<string> extraHosts)
    {
        var text = new StringBuilder(
            "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\n" +
            "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
        foreach (var extra in extraHosts)
        {
            var (name, address) = Split(extra);
            text.Append(address == HostGateway ? gateway?.ToString() ?? "127.0.0.1" : address).Append('\t').Append(name).Append('\n');
        }

        foreach (var address in addresses)
        {
            // A name of several labels, given as one or as two, is followed by its first label, by which the container knows itself.
            var name = string.IsNullOrEmpty(domainname) ? hostname : $"{hostname}.{domainname}";
            text.Append(address).Append('\t').Append(name);
            if (name.IndexOf('.') is > 0 and var dot)
                text.Append(' ').Append(name, 0, dot);
            text.Append('\n');
        }

        return text.ToString();
    }

    internal static void Check(IReadOnlyList<string> extraHosts, List<Problem> problems)
    {
        foreach (var extra in extraHosts)
        {
            var (name, address) = Split(extra);
            if (name.Length == 0 || name.Any(char.IsWhiteSpace))
                problems.Add(new Problem("HostConfig.ExtraHosts", $"bad format for add-host: \"{extra}\""));
            else if (address != HostGateway && !IPAddress.TryParse(address, out _))
                problems.Add(new Problem("HostConfig.ExtraHosts", $"invalid IP address in add-host: \"{address}\""));
        }
    }

    /// <summary><c>name:address</c> or <c>name=address</c>; IPv6 addresses hold colons and may stand in brackets.</summary>
    private static (string Name, string Address) Split(string extra)
    {
        var at = extra.IndexOfAny([':', '=']);
        return at < 0 ? ("", extra) : (extra[..at], extra[(at + 1)..].Trim('[', ']'));
    }
}
