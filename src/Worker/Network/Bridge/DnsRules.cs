using System.Net;

using Orchestrator.Worker.Linux.Netlink;

namespace Orchestrator.Worker.Network.Bridge;

/// <summary>
/// Inside a container: 127.0.0.11 port 53 leads to the port the resolver listens on. It cannot listen on 53 itself: the container's own
/// bind to 0.0.0.0:53 would fail.
/// </summary>
internal static class DnsRules
{
    private const string Table = "orch-dns";
    private static readonly IPNetwork Resolver = new(new IPAddress([127, 0, 0, 11]), 32);

    /// <summary>
    /// For a namespace that has no rules yet. Nothing is deleted: a deletion is finished by a grace period, which the closing of the netlink
    /// socket waits for (15 ms).
    /// </summary>
    internal static NetlinkBatch First(int port)
    {
        var batch = new NftBatch(Table);
        Write(batch, port);
        return batch.Finish();
    }

    /// <summary>Instead of the redirect that was.</summary>
    internal static NetlinkBatch Again(int port)
    {
        var batch = new NftBatch(Table);
        batch.AddTable();
        batch.DeleteTable();
        Write(batch, port);
        return batch.Finish();
    }

    private static void Write(NftBatch batch, int port)
    {
        batch.AddTable();
        batch.AddBaseChain("output", "nat", NftHook.Output, -100);
        foreach (var protocol in (ReadOnlySpan<byte>)[NftExpressions.Udp, NftExpressions.Tcp])
        {
            batch.AddRule("output", rule =>
            {
                rule.DestinationIn(Resolver);
                rule.Protocol(protocol);
                rule.DestinationPort(53);
                rule.RewriteTo(Resolver.BaseAddress, port);
            });
        }
    }
}
