using Microsoft.Extensions.Logging;

using Orchestrator.Worker.Linux.Netlink;
using Orchestrator.Worker.Network.Plan;

namespace Orchestrator.Worker.Network.Bridge;

/// <summary>
/// Where another program's forward chain drops by policy (Docker leaves one behind even when it is gone), what our table accepts is dropped all the same:
/// every base chain has to accept. So the bridges are let through there, in <c>DOCKER-USER</c> where that exists, because Docker keeps what it finds in it.
/// What may pass is still judged by our own table.
/// </summary>
internal static class ForeignForwarding
{
    private const string UserChain = "DOCKER-USER";
    private const string LegacyTables = "/proc/thread-self/net/ip_tables_names";

    internal static void Admit(NetlinkSocket netfilter, LinkNames names, ILogger log)
    {
        var chains = NftDump.Chains(netfilter);
        foreach (var dropping in chains.Where(chain => IsForeignDrop(chain, names)))
        {
            var target = chains.FirstOrDefault(chain => chain.Table == dropping.Table && chain.Name == UserChain) ?? dropping;
            if (NftDump.Rules(netfilter, target.Table, target.Name).Any(rule => rule.Comment == names.Table))
                continue;
            var batch = new NftBatch(target.Table);
            batch.InsertRule(target.Name, names.Table, rule =>
            {
                rule.InputNamePrefix(NftExpressions.Equal, names.BridgePrefix);
                rule.Verdict(NftVerdict.Accept);
            });
            batch.InsertRule(target.Name, names.Table, rule =>
            {
                rule.OutputNamePrefix(NftExpressions.Equal, names.BridgePrefix);
                rule.Verdict(NftVerdict.Accept);
            });
            netfilter.Execute(batch.Finish());
            log.ForeignForwardPolicy($"{dropping.Table} {dropping.Name}", $"accepts for {names.BridgePrefix}* were added to {target.Name}");
        }

        if (File.Exists(LegacyTables) && File.ReadLines(LegacyTables).Contains("filter", StringComparer.Ordinal))
            log.ForeignForwardPolicy("iptables-legacy filter FORWARD", $"not checked; if it drops, add: iptables-legacy -I FORWARD -i {names.BridgePrefix}+ -j ACCEPT (and -o)");
    }

    internal static void Withdraw(NetlinkSocket netfilter, LinkNames names)
    {
        foreach (var chain in NftDump.Chains(netfilter).Where(chain => chain.Table != names.Table && (chain.Name == UserChain || chain.Hook == NftHook.Forward)))
        {
            var ours = NftDump.Rules(netfilter, chain.Table, chain.Name).Where(rule => rule.Comment == names.Table).ToList();
            if (ours.Count == 0)
                continue;
            var batch = new NftBatch(chain.Table);
            ours.ForEach(rule => batch.DeleteRule(chain.Name, rule.Handle));
            netfilter.Execute(batch.Finish());
        }
    }

    private static bool IsForeignDrop(NftChainInfo chain, LinkNames names)
        => chain is { Hook: NftHook.Forward, Policy: NftVerdict.Drop } && chain.Table != names.Table;
}
