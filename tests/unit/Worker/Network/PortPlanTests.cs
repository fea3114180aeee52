using System.Net;

using Orchestrator.Worker.Network;
using Orchestrator.Worker.Network.Plan;

namespace Orchestrator.Tests.Unit.Worker.Network;

public sealed class PortPlanTests
{
    private static readonly IPAddress A = IPAddress.Parse("10.0.0.2");
    private static readonly IPAddress B = IPAddress.Parse("10.0.0.3");
    private static readonly IPAddress Host = IPAddress.Parse("192.0.2.1");

    [Fact]
    public void The_same_ports_change_nothing()
        => Assert.True(PortPlan.Diff(PortPlan.Want([], [Service(80, A, B)]), PortPlan.Want([], [Service(80, A, B)])).IsEmpty);

    [Fact]
    public void New_ports_are_added_changed_ones_replaced_and_ended_ones_removed()
    {
        var plan = PortPlan.Diff(
            PortPlan.Want([], [Service(80, A), Service(81, A), Service(82, A)]),
            PortPlan.Want([], [Service(81, A), Service(82, A, B), Service(83, B)]));
        Assert.Equal([80], plan.Remove.Select(port => port.Port));
        Assert.Equal([82], plan.Replace.Select(change => change.Port.Port));
        Assert.Equal([83], plan.Add.Select(change => change.Port.Port));
    }

    [Fact]
    public void A_target_for_one_address_comes_before_the_one_for_all_and_containers_before_services()
    {
        var ports = PortPlan.Want([(A, new BoundPort(PortProtocol.Tcp, Host, 80, 8080))], [Service(80, B)]);
        Assert.Equal([Host, null], ports[new HostPort(PortProtocol.Tcp, 80)].Select(target => target.HostIp));
        ports = PortPlan.Want([(A, new BoundPort(PortProtocol.Tcp, null, 80, 8080))], [Service(80, B)]);
        Assert.Equal([A], Assert.Single(ports[new HostPort(PortProtocol.Tcp, 80)]).Backends);
    }

    [Fact]
    public void Tcp_and_udp_of_one_number_are_two_ports()
    {
        var ports = PortPlan.Want([], [Service(80, A), Service(80, B) with { Protocol = PortProtocol.Udp }]);
        Assert.Equal(["80/tcp", "80/udp"], ports.Keys.Select(port => port.ToString()));
    }

    private static PublishedPort Service(int port, params IPAddress[] backends) => new()
    {
        ServiceId = "s", ServiceName = "web", Protocol = PortProtocol.Tcp, Port = port, TargetPort = 8080, Backends = [.. backends.Select(ip => new Backend(ip))],
    };
}
