using System.Collections.Immutable;
using System.Net;

namespace Orchestrator.Worker.Network.Dns;

/// <summary>The host's resolvers, resolv.conf(5); read again whenever the file has changed.</summary>
internal sealed class ResolvConf(string path)
{
    private Snapshot last = new(default, []);

    private sealed record Snapshot(DateTime Written, ImmutableArray<IPAddress> Servers);

    internal ImmutableArray<IPAddress> Servers
    {
        get
        {
            var written = File.GetLastWriteTimeUtc(path);
            var seen = last;
            if (written == seen.Written)
                return seen.Servers;
            var servers = File.Exists(path) ? Parse(File.ReadAllText(path)) : [];
            last = new Snapshot(written, servers);
            return servers;
        }
    }

    internal static ImmutableArray<IPAddress> Parse(string text)
    {
        var servers = ImmutableArray.CreateBuilder<IPAddress>();
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words is ["nameserver", var server, ..] && IPAddress.TryParse(server, out var address))
                servers.Add(address);
        }

        return servers.ToImmutable();
    }
}
