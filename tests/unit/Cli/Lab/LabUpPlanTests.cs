using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Commands.Lab;

namespace Orchestrator.Tests.Unit.Cli.Lab;

public sealed class LabUpPlanTests
{
    private static readonly LabPlace Place = new("/var/lib/orch-lab", "lab");

    [Theory]
    [InlineData(1, null, 1)]
    [InlineData(2, null, 1)]
    [InlineData(3, null, 3)]
    [InlineData(9, null, 3)]
    [InlineData(5, 5, 5)]
    [InlineData(5, 2, 2)]
    public void The_first_hosts_are_managers(int hosts, int? managers, int expected)
    {
        var state = LabUpPlan.Make(Place, hosts, managers, null, [], "boot");
        Assert.Equal(Enumerable.Range(1, hosts).Select(i => ($"host{i}", $"192.168.200.{10 + i}", i <= expected)), state.Hosts.Select(h => (h.Name, h.Address, h.Manager)));
        Assert.Equal("192.168.200.1", state.Gateway.ToString());
        Assert.False(state.Complete);
    }

    [Theory]
    [InlineData("10.1.2.0/28", 3, true)]
    [InlineData("10.1.2.0/28", 5, false)]
    [InlineData("10.1.0.0/16", 50, true)]
    [InlineData("10.1.2.3/24", 3, true)]
    [InlineData("fd00::/64", 3, false)]
    [InlineData("10.0.0.0/4", 3, false)]
    public void A_network_must_have_room_for_all_hosts(string subnet, int hosts, bool room)
    {
        if (room)
            Assert.Equal(hosts, LabUpPlan.Make(Place, hosts, null, subnet, [], "boot").Hosts.Select(h => h.Address).Distinct().Count());
        else
            Assert.Contains("--subnet", Assert.Throws<CommandException>(() => LabUpPlan.Make(Place, hosts, null, subnet, [], "boot")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once()
    {
        var refused = Assert.Throws<CommandException>(() => LabUpPlan.Make(new("here", "Lab_1"), 51, 0, "many", [], "boot")).Message.Split('\n');
        Assert.Equal(5, refused.Length);
        Assert.Contains(refused, l => l.StartsWith("--name 'Lab_1'", StringComparison.Ordinal));
        Assert.Contains(refused, l => l.StartsWith("--root 'here'", StringComparison.Ordinal));
        Assert.Contains(refused, l => l.StartsWith("51 is not", StringComparison.Ordinal));
        Assert.Contains(refused, l => l.StartsWith("--managers 0", StringComparison.Ordinal));
        Assert.Contains(refused, l => l.StartsWith("--subnet 'many'", StringComparison.Ordinal));
    }

    [Fact]
    public void A_root_so_deep_that_no_socket_fits_is_refused() =>
        Assert.Contains("too long", string.Join(' ', new LabPlace("/" + new string('d', 90), "lab").Check(3)), StringComparison.Ordinal);

    [Fact]
    public void Labs_of_one_name_in_two_roots_have_different_cgroups()
    {
        Assert.NotEqual(Place.Cgroup, (Place with { Root = "/tmp/labs" }).Cgroup);
        Assert.StartsWith("/orch-lab-lab-", Place.Cgroup, StringComparison.Ordinal);
    }
}
