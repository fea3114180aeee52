using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Allocation;

/// <summary>Gives networks their subnets and gateways, and forgets removed networks on which no task stands.</summary>
internal static class NetworkPlan
{
    private const string DefaultPool = "10.0.0.0/8";

    internal static Decision Plan(ClusterState state, DateTimeOffset now)
    {
        if (state.Swarm is not { } swarm)
            return Decision.Nothing;
        var commands = new List<Command>();
        var taken = state.Networks.Values.Concat(state.LeavingNetworks.Values)
            .SelectMany(n => n.Ipam.Config).Select(c => Ipv4Subnet.Parse(c.Subnet)).OfType<Ipv4Subnet>().ToList();
        foreach (var network in state.Networks.Values.OrderByDescending(n => n.Ingress))
        {
            var given = network.Ipam.Config is [var config, ..] ? config : new();
            if (!string.IsNullOrEmpty(given.Subnet) && !string.IsNullOrEmpty(given.Gateway))
                continue;
            if ((Ipv4Subnet.Parse(given.Subnet) ?? Free(swarm, taken)) is not { } subnet)
                continue; // the pools are used up: the address plan tells every task that waits for it
            taken.Add(subnet);
            var gateway = string.IsNullOrEmpty(given.Gateway) ? Ipv4Subnet.Format(subnet.Address + 1) : given.Gateway;
            commands.Add(new AllocateNetwork(network.Id, [given with { Subnet = subnet.ToString(), Gateway = gateway }]) { At = now });
        }

        if (state.LeavingNetworks.Count > 0)
        {
            var standing = state.Tasks.Values.SelectMany(t => t.NetworksAttachments).Select(a => a.NetworkId).ToHashSet();
            var gone = state.LeavingNetworks.Keys.Where(id => !standing.Contains(id)).ToList();
            if (gone.Count > 0)
                commands.Add(new DeleteNetworks(gone) { At = now });
        }

        return new(commands);
    }

    private static Ipv4Subnet? Free(Swarm swarm, List<Ipv4Subnet> taken)
    {
        var pools = swarm.DefaultAddrPool.Count > 0 ? swarm.DefaultAddrPool : [DefaultPool];
        var size = (int)(swarm.SubnetSize == 0 ? 24 : swarm.SubnetSize);
        foreach (var text in pools)
        {
            if (Ipv4Subnet.Parse(text) is not { } pool || pool.PrefixLength > size)
                continue;
            for (ulong at = pool.Address; at <= pool.Last; at += 1UL << (32 - size))
            {
                var candidate = new Ipv4Subnet((uint)at, size);
                if (!taken.Exists(t => t.Overlaps(candidate)))
                    return candidate;
            }
        }

        return null;
    }
}
