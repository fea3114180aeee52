using System.Net;

using Orchestrator.Worker.Network.Dns;

namespace Orchestrator.Tests.Unit.Worker.Network;

public sealed class NameIndexTests
{
    private static readonly IPAddress A = IPAddress.Parse("10.0.0.2");
    private static readonly IPAddress B = IPAddress.Parse("10.0.0.3");

    private static readonly NameIndex Index = new(new DnsTable(
    [
        new("n1", [new("web", [A, B]), new("tasks.web", [A, B]), new("web.1.abc", [A])]),
        new("n2", [new("web", [B]), new("db", [B])]),
    ]));

    [Theory]
    [InlineData("web", "n1", "10.0.0.2 10.0.0.3")]
    [InlineData("WEB", "n2", "10.0.0.3")]
    [InlineData("web", "n2 n1", "10.0.0.3")]
    [InlineData("db", "n1", null)]
    [InlineData("db", "n1 n2", "10.0.0.3")]
    [InlineData("web", "", null)]
    public void A_name_is_seen_from_its_networks_alone_and_the_first_wins(string name, string networks, string? addresses)
        => Assert.Equal(addresses, Index.Find([.. networks.Split(' ')], name) is { } found ? string.Join(' ', found) : null);

    [Theory]
    [InlineData("2.0.0.10.in-addr.arpa", "web.1.abc")]
    [InlineData("3.0.0.10.IN-ADDR.ARPA", "web")]
    [InlineData("9.0.0.10.in-addr.arpa", null)]
    [InlineData("0.10.in-addr.arpa", null)]
    public void An_address_gives_its_most_telling_name(string question, string? name) => Assert.Equal(name, Index.FindReverse(["n1"], question));

    [Fact]
    public void Every_address_comes_first_in_its_turn()
        => Assert.Equal([B, A, B], Enumerable.Range(1, 3).Select(turn => NameIndex.Rotate([A, B], (uint)turn)[0]));

    [Fact]
    public void Resolv_conf_gives_its_servers()
        => Assert.Equal(["192.0.2.53", "::1"], ResolvConf.Parse("# x\nsearch a b\nnameserver 192.0.2.53\nnameserver\t::1 \nnameserver nonsense\n").Select(ip => ip.ToString()));
}
