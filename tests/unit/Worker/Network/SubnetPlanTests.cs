using System.Net;

using Orchestrator.Worker.Network;
using Orchestrator.Worker.Network.Plan;

namespace Orchestrator.Tests.Unit.Worker.Network;

public sealed class SubnetPlanTests
{
    [Theory]
    [InlineData("bridge", "10.0.0.0/24", "10.0.0.1", null)]
    [InlineData("overlay", "10.0.0.0/24", "10.0.0.1", null)]
    [InlineData("macvlan", "10.0.0.0/24", "10.0.0.1", "network web: driver 'macvlan' is not available on this host (bridge and overlay are)")]
    [InlineData("bridge", "10.0.0.0/24", "10.0.1.1", "network web: gateway 10.0.1.1 is outside of subnet 10.0.0.0/24")]
    [InlineData("bridge", "fd00::/64", "fd00::1", "network web: IPv6 subnet fd00::/64 is not supported yet")]
    [InlineData("bridge", "10.0.0.0/31", "10.0.0.1", "network web: subnet 10.0.0.0/31 has no room for a gateway and containers (/8 to /30 are supported)")]
    [InlineData("bridge", "10.9.0.0/16", "10.9.0.1", "network web: subnet 10.9.0.0/16 overlaps the host's route 10.9.8.0/24 on eth1")]
    [InlineData("bridge", "10.9.8.128/25", "10.9.8.129", "network web: subnet 10.9.8.128/25 overlaps the host's route 10.9.8.0/24 on eth1")]
    public void What_cannot_be_had_is_refused_with_a_sentence(string driver, string subnet, string gateway, string? sentence)
    {
        var network = new HostNetwork
        {
            Id = "n", Name = "web", Driver = driver, Subnets = [new Subnet(IPNetwork.Parse(subnet), IPAddress.Parse(gateway))],
        };
        Assert.Equal(sentence, SubnetPlan.Refuse(network, [new(IPNetwork.Parse("10.9.8.0/24"), "the host's route 10.9.8.0/24 on eth1")]));
    }

    [Fact]
    public void Defaults_step_over_what_is_taken()
    {
        TakenRange[] taken = [new(IPNetwork.Parse("172.16.0.0/12"), "a"), new(IPNetwork.Parse("192.168.1.0/24"), "b")];
        Assert.Equal(new Subnet(IPNetwork.Parse("192.168.16.0/20"), IPAddress.Parse("192.168.16.1")), SubnetPlan.Choose(taken));
        Assert.Null(SubnetPlan.Choose([new(IPNetwork.Parse("0.0.0.0/0"), "all")]));
    }

    [Fact]
    public void Link_names_fit_and_differ_between_instances()
    {
        var (one, other) = (new LinkNames("0a1b2c"), new LinkNames("0a1b2d"));
        Assert.Equal(15, one.Bridge("network").Length);
        Assert.Equal(15, one.Veth("container", 12).Length);
        Assert.NotEqual(one.Bridge("network"), other.Bridge("network"));
        Assert.Equal("02420A000102", LinkNames.Mac(IPAddress.Parse("10.0.1.2")).ToString());
    }
}
