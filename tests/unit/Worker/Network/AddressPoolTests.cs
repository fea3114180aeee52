using System.Net;

using FsCheck;
using FsCheck.Fluent;

using Orchestrator.Worker.Network;
using Orchestrator.Worker.Network.Plan;

namespace Orchestrator.Tests.Unit.Worker.Network;

public sealed class AddressPoolTests
{
    [Fact]
    public void The_gateway_network_and_broadcast_addresses_are_never_given()
    {
        var pool = Pool("10.0.0.0/29", "10.0.0.1");
        var given = new List<string>();
        while (pool.Allocate() is var (next, address))
        {
            pool = next;
            given.Add(address.ToString());
        }

        Assert.Equal(["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"], given);
    }

    [Fact]
    public void A_freed_address_is_the_last_to_be_given_again()
    {
        var pool = Pool("10.0.0.0/29", "10.0.0.1");
        (pool, var first) = pool.Allocate()!.Value;
        pool = pool.Release(first);
        var order = new List<string>();
        while (pool.Allocate() is var (next, address))
        {
            pool = next;
            order.Add(address.ToString());
        }

        Assert.Equal(["10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.2"], order);
    }

    [Fact]
    public void No_address_has_two_owners_whatever_the_order_of_taking_and_freeing()
        => Prop.ForAll(ArbMap.Default.ArbFor<int[]>(), steps =>
        {
            var pool = Pool("10.0.0.0/28", "10.0.0.1");
            var held = new List<IPAddress>();
            foreach (var step in steps)
            {
                if (step % 3 == 0 && held.Count > 0)
                {
                    var index = Math.Abs(step % held.Count);
                    pool = pool.Release(held[index]);
                    held.RemoveAt(index);
                }
                else if (pool.Allocate() is var (next, address))
                {
                    if (held.Contains(address) || !next.Contains(address) || address.ToString() == "10.0.0.1")
                        return false;
                    held.Add(address);
                    pool = next;
                }
                else if (held.Count != 13)
                {
                    return false;
                }
            }

            return true;
        }).QuickCheckThrowOnFailure();

    private static AddressPool Pool(string prefix, string gateway) => new(new Subnet(IPNetwork.Parse(prefix), IPAddress.Parse(gateway)));
}
