using Orchestrator.Worker.Agent;

namespace Orchestrator.Tests.Unit.Worker.Agent;

public sealed class ServedConnectionsTests
{
    private const string Head = "  sl  local_address rem_address   st tx_queue rx_queue\n";
    private const string Listens = "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000\n";

    [Theory]
    [InlineData("01", true)]
    [InlineData("03", true)]
    [InlineData("04", true)]
    [InlineData("05", false)]
    [InlineData("06", false)]
    [InlineData("08", true)]
    public void A_connection_to_a_listened_port_is_served_until_its_answer_is_acknowledged(string state, bool served) =>
        Assert.Equal(served, ServedConnections.Any(Head + Listens + $"   1: 0B00000A:0050 0100000A:D431 {state} 00000000:00000000 00:00000000\n", Head));

    [Fact]
    public void A_connection_that_the_task_made_itself_does_not_count() =>
        Assert.False(ServedConnections.Any(Head + Listens + "   1: 0B00000A:D431 0100000A:1538 01 00000000:00000000\n", ""));

    [Fact]
    public void A_port_may_be_listened_on_in_one_family_and_served_in_the_other() => Assert.True(ServedConnections.Any(
        Head + "   1: 0B00000A:0050 0100000A:D431 01 00000000:00000000\n",
        Head + "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000\n"));
}
