using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Commands.Containers;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Cli.Commands;

public sealed class StatsTests
{
    private static readonly ContainerStats Reading = new()
    {
        Id = new string('a', 64), Name = "/web",
        Pids = new PidsUsage { Current = 3 },
        Cpu = new CpuUsage { Times = new CpuTimes { Total = 600 }, System = 3000, OnlineCpus = 4 },
        PreCpu = new CpuUsage { Times = new CpuTimes { Total = 100 }, System = 1000 },
        Memory = new MemoryUsage { Usage = 6 << 20, Limit = 8 << 20, Stats = new Dictionary<string, long> { ["inactive_file"] = 2 << 20 } },
        Networks = new Dictionary<string, InterfaceUsage> { ["eth0"] = new() { RxBytes = 1500, TxBytes = 20 }, ["eth1"] = new() { RxBytes = 500 } },
        Blkio = new BlkioUsage { Bytes = [new BlkioEntry { Operation = "Read", Value = 10 }, new BlkioEntry { Operation = "write", Value = 20 }] },
    };

    [Fact]
    public void The_table_is_dockers()
    {
        var table = StatsRow.Listing(noTrunc: false).Render([new StatsReading("web", Reading), new StatsReading("gone", null)], null).Split('\n');
        Assert.Equal("CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT   MEM %     NET I/O     BLOCK I/O   PIDS", table[0]);
        Assert.Equal("aaaaaaaaaaaa   web       100.00%   4MiB / 8MiB         50.00%    2kB / 20B   10B / 20B   3", table[1]);
        Assert.StartsWith("--             --        --        -- / --", table[2], StringComparison.Ordinal);
    }

    [Fact]
    public void A_first_reading_has_no_share() => Assert.Equal(0, StatsRow.Cpu(Reading with { PreCpu = new() }));

    [Theory]
    [InlineData("always", "always", 0)]
    [InlineData("on-failure:5", "on-failure", 5)]
    public void Restart_policies_are_read(string text, string name, int count) =>
        Assert.Equal(new ContainerRestartPolicy { Name = name, MaximumRetryCount = count }, RestartFlag.Parse(text));

    [Theory]
    [InlineData("on-failure:often")]
    [InlineData(":5")]
    [InlineData("a:1:2")]
    public void Other_restart_policies_are_refused(string text) => Assert.Throws<CommandException>(() => RestartFlag.Parse(text));
}
