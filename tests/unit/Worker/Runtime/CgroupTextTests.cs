using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Cgroups;

namespace Orchestrator.Tests.Unit.Worker.Runtime;

public sealed class CgroupTextTests
{
    [Fact]
    public void Io_is_read_from_both_hierarchies_alike()
    {
        DeviceCount[] expected = [new(8, 0, 100, 200, 3, 4), new(253, 1, 0, 50, 0, 1)];
        Assert.Equal(expected, CgroupTexts.LegacyIo(
            "8:0 Read 100\n8:0 Write 200\n8:0 Sync 1\n8:0 Total 300\n253:1 Write 50\nTotal 350\n", "8:0 Read 3\n8:0 Write 4\n253:1 Write 1\nTotal 8\n"));
        Assert.Equal(expected, CgroupTexts.UnifiedIo(
            "8:0 rbytes=100 wbytes=200 rios=3 wios=4 dbytes=0 dios=0\n253:1 rbytes=0 wbytes=50 rios=0 wios=1 dbytes=0 dios=0\nbroken\n"));
        Assert.Empty(CgroupTexts.LegacyIo(null, null));
    }

    [Fact]
    public void Interfaces_are_read_without_the_loopback() => Assert.Equal(
        [new InterfaceCount("eth0", 1, 2, 3, 4, 9, 10, 11, 12)],
        CgroupTexts.Interfaces("Inter-|   Receive |  Transmit\n face |bytes packets\n    lo:       5       5    0    0    0     0          0         0   5  5 0 0 0 0 0 0\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"));

    [Theory]
    [InlineData("max\n", null)]
    [InlineData("42\n", 42L)]
    [InlineData("-1", -1L)]
    [InlineData(null, null)]
    public void A_number_is_no_word(string? text, long? expected) => Assert.Equal(expected, CgroupTexts.Number(text));

    [Fact]
    public void Pairs_skip_what_is_no_pair()
    {
        var pairs = CgroupTexts.Pairs("oom 1\noom_kill 2\n8:0 rbytes=1 x\nword\n");
        Assert.Equal((2, 1L, 2L), (pairs.Count, pairs["oom"], pairs["oom_kill"]));
    }
}
