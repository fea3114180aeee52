using System.Net;
using System.Net.NetworkInformation;

using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Linux.Netlink;

namespace Orchestrator.Tests.Unit.Worker.Linux;

public sealed class NetlinkTests
{
    [Fact]
    public void A_bridge_is_asked_for_in_the_kernels_bytes()
    {
        var batch = new NetlinkBatch();
        batch.CreateBridge("br", PhysicalAddress.Parse("02420A000001"), 1400);
        Assert.Equal(
            "4C000000" + "1000" + "0106" + "01000000" + "00000000"
            + "00000000" + "00000000" + "00000000" + "00000000"
            + "07000300" + "62720000"
            + "0A000100" + "02420A0000010000"
            + "08000400" + "78050000"
            + "10001200" + "0B000100" + "62726964" + "67650000",
            Convert.ToHexString(batch.Bytes));
    }

    [Fact]
    public void An_address_and_a_route_are_asked_for_in_one_batch()
    {
        var batch = new NetlinkBatch();
        batch.AddAddress(2, IPAddress.Parse("10.0.0.2"), 24);
        batch.AddDefaultRoute(IPAddress.Parse("10.0.0.1"));
        Assert.Equal(
            "28000000" + "1400" + "0106" + "01000000" + "00000000" + "02180000" + "02000000" + "08000200" + "0A000002" + "08000100" + "0A000002"
            + "24000000" + "1800" + "0106" + "02000000" + "00000000" + "02000000" + "FE040001" + "00000000"
            + "08000500" + "0A000001",
            Convert.ToHexString(batch.Bytes));
        Assert.Equal("add default route via 10.0.0.1", batch.Operation(2));
    }

    [Fact]
    public void A_dump_of_links_is_read_and_stops_at_nonsense()
    {
        byte[] link =
        [
            .. Convert.FromHexString("40000000" + "1000" + "0000" + "01000000" + "00000000" + "00000100" + "07000000" + "43100000" + "00000000"),
            .. Convert.FromHexString("09000300" + "6574683000" + "000000" + "08000400" + "DC050000" + "0C001200" + "08000100" + "76657400"),
        ];
        var reader = new NetlinkReader([.. link, 0xff, 0, 0, 0, 1, 2, 3]);
        Assert.True(reader.NextMessage(out var message));
        Assert.Equal(new LinkInfo(7, "eth0", "vet", 0x1043, 1500, 0, ""), RouteParsers.Link(message));
        Assert.False(reader.NextMessage(out _));
    }

    [Fact]
    public void An_unfinished_request_is_our_fault_and_found_at_once()
    {
        var batch = new NetlinkBatch();
        batch.Begin("one", 16, NetlinkFlags.Request);
        Assert.Throws<InvalidOperationException>(() => batch.Begin("two", 16, NetlinkFlags.Request));
        batch.Open(1);
        Assert.Throws<InvalidOperationException>(batch.End);
    }

    [Theory]
    [InlineData("620 29 0:4 net:[4026532261] /run/orch/netns/abc rw shared:1 - nsfs nsfs rw", "/run/orch/netns/abc")]
    [InlineData("620 29 0:4 net:[4026532261] /run/o\\040rch/netns/abc rw - nsfs nsfs rw", "/run/o rch/netns/abc")]
    [InlineData("29 1 254:0 / / rw,relatime - ext4 /dev/vda rw", null)]
    [InlineData("nonsense", null)]
    public void Namespace_mounts_are_told_from_others(string line, string? path) => Assert.Equal(path, Namespaces.ParseNamespaceMount(line));
}
