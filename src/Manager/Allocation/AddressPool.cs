using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Allocation;

/// <summary>One network's free addresses in ascending order, for the length of one plan.</summary>
internal sealed class AddressPool
{
    private readonly HashSet<uint> taken;
    private readonly ulong last;
    private ulong next;

    private AddressPool(ulong first, ulong last, int prefixLength, HashSet<uint> taken)
    {
        next = first;
        this.last = last;
        this.taken = taken;
        PrefixLength = prefixLength;
        Skip();
    }

    internal int PrefixLength { get; }

    /// <summary>The network has no subnet yet.</summary>
    internal bool IsEmpty => PrefixLength == 0;

    internal static AddressPool Of(Network network, ClusterState state)
    {
        var config = network.Ipam.Config is [var first, ..] ? first : new();
        if (Ipv4Subnet.Parse(config.Subnet) is not { } subnet)
            return new(1, 0, 0, []);
        var range = Ipv4Subnet.Parse(config.IpRange) ?? subnet;
        var used = new HashSet<uint> { subnet.Address, subnet.Last };
        if (Ipv4Subnet.ParseAddress(config.Gateway) is { } gateway)
            used.Add(gateway);
        foreach (var task in state.Tasks.Values.Where(HoldsAddresses))
        {
            foreach (var address in task.NetworksAttachments.Where(a => a.NetworkId == network.Id).SelectMany(a => a.Addresses))
            {
                if (Ipv4Subnet.ParseAddress(address[..address.IndexOf('/', StringComparison.Ordinal)]) is { } number)
                    used.Add(number);
            }
        }

        return new(range.Address, range.Last, subnet.PrefixLength, used);
    }

    internal uint? Peek() => next <= last ? (uint)next : null;

    internal void Take()
    {
        next++;
        Skip();
    }

    /// <summary>Until its container is gone, a task keeps its addresses; a task that was never placed and must not run has none to keep.</summary>
    internal static bool HoldsAddresses(ServiceTask task) => !State.Apply.TaskSteps.IsGone(task);

    private void Skip()
    {
        while (next <= last && taken.Contains((uint)next))
            next++;
    }
}
