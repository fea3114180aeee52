using Orchestrator.Worker.Network;
using Orchestrator.Worker.Network.Plan;
using Orchestrator.Worker.Network.Ports;

namespace Orchestrator.Tests.Unit.Worker.Network;

public sealed class PortChoiceTests
{
    private static PortRequest Tcp(int host, int last = 0) => new(PortProtocol.Tcp, null, host, 80, last);

    [Fact]
    public void A_range_gives_its_first_port_that_nobody_has_and_the_request_does_not_name_itself() => Assert.Equal(
        [8001, 8003, 8005, 8001],
        PortChoice.Of(
            [Tcp(8000, 8009) with { HostPort = 8001, LastHostPort = 8009 }, Tcp(8003), Tcp(8003, 8009), new PortRequest(PortProtocol.Udp, null, 8001, 53, 8002)],
            port => port.Port == 8004).Select(held => held.Port));

    [Fact]
    public void A_range_without_a_free_port_is_told_with_what_to_do() => Assert.Equal(
        "no port of 8000-8001/tcp is free: all are published or in use on this host; publish on a wider range, or leave the host's port out",
        Assert.Throws<NetworkException>(() => PortChoice.Of([Tcp(8000, 8001)], _ => true)).Message);

    [Fact]
    public void Ports_asked_for_by_number_are_asked_for_as_they_are() =>
        Assert.Equal([new HeldPort(PortProtocol.Tcp, null, 0), new HeldPort(PortProtocol.Tcp, null, 80)], PortChoice.Of([Tcp(0), Tcp(80)], _ => true));
}
