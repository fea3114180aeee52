using System.Net;
using Orchestrator.Cli.Daemon;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Cli.Daemon;

public sealed class ClusterEndpointsTests
{
    private static readonly (string Interface, IPAddress Address)[] Host =
        [("eth0", IPAddress.Parse("192.0.2.7")), ("eth1", IPAddress.Parse("198.51.100.9"))];

    [Theory]
    [InlineData(null, null, "0.0.0.0:2377", "192.0.2.7:2377")]
    [InlineData("eth1", null, "198.51.100.9:2377", "198.51.100.9:2377")]
    [InlineData("0.0.0.0:4377", null, "0.0.0.0:4377", "192.0.2.7:4377")]
    [InlineData(":4377", "eth1", "0.0.0.0:4377", "198.51.100.9:4377")]
    [InlineData("0.0.0.0:2377", "203.0.113.5:9999", "0.0.0.0:2377", "203.0.113.5:9999")]
    public void Addresses_and_interfaces_name_the_cluster_port(string? listen, string? advertise, string bound, string told)
    {
        var problems = new List<Problem>();
        var endpoints = ClusterEndpoints.Read(listen, advertise, Host, usual: null, problems);
        Assert.Empty(problems);
        Assert.Equal((bound, told), (endpoints!.Listen.ToString(), endpoints.Advertised));
    }

    [Theory]
    [InlineData("eth9", null, "ListenAddr")]
    [InlineData(null, "eth9", "AdvertiseAddr")]
    [InlineData(null, "eth0:port", "AdvertiseAddr")]
    [InlineData(null, "0.0.0.0", "AdvertiseAddr")]
    public void What_names_nothing_is_refused(string? listen, string? advertise, string field)
    {
        var problems = new List<Problem>();
        Assert.Null(ClusterEndpoints.Read(listen, advertise, Host, usual: null, problems));
        Assert.Equal(field, Assert.Single(problems).Where);
    }

    [Fact]
    public void A_join_with_every_mistake_gets_every_problem()
    {
        var refused = Assert.Throws<ApiException>(() => SwarmJoinPlan.Make(
            new SwarmJoinRequest { RemoteAddrs = ["not an address!"], JoinToken = "SWMTKN-2", Availability = "asleep", AdvertiseAddr = "eth9", DataPathAddr = "eth0" },
            Host, _ => null));
        Assert.Equal(
            ["AdvertiseAddr", "Availability", "DataPathAddr", "JoinToken", "RemoteAddrs"],
            refused.Problems.Select(p => p.Where).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Without_an_address_to_advertise_the_one_on_the_way_to_the_manager_is()
    {
        var token = $"SWMTKN-1-{new string('a', 50)}-{new string('b', 25)}";
        var plan = SwarmJoinPlan.Make(
            new SwarmJoinRequest { RemoteAddrs = ["192.0.2.1:4000,manager.example", "192.0.2.3"], JoinToken = token },
            Host, to => Equals(to, new IPEndPoint(IPAddress.Parse("192.0.2.1"), 4000)) ? IPAddress.Parse("198.51.100.9") : null);
        Assert.Equal("198.51.100.9:2377", plan.Endpoints.Advertised);
        Assert.Equal(["192.0.2.1:4000", "manager.example", "192.0.2.3"], plan.Remotes.Select(r => r.Text));
        Assert.Equal(new DnsEndPoint("manager.example", 2377), plan.Remotes[1].Address);
        Assert.Equal(NodeAvailability.Active, plan.Availability);
    }
}
