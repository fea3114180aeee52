using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Processes;
using Orchestrator.Worker.Containers.Usage;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Tests.Unit.Worker.Containers;

public sealed class ProcessTests
{
    private static readonly ProcessHost Host = new(
        new DateTimeOffset(2026, 3, 5, 12, 0, 0, TimeSpan.Zero), Uptime: 100_000, Memory: 4096 * 1000, ProcessHost.ParseNames("root:x:0:0::/:/bin/sh\n"), ProcessHost.ParseNames("root:x:0:\n"));

    private static readonly ProcessEntry Entry = ProcessEntry.Parse(
        "42 (a ) (b) S 7 42 42 34818 42 4194560 1 2 3 4 150 50 0 0 20 5 3 0 90000 8192000 100 18446744073709551615 1\n",
        "Name:\tx\nUid:\t0\t0\t0\t0\nGid:\t1\t9\t1\t1\n", "sh\0-c\0sleep 1\0");

    [Theory]
    [InlineData(null, "root|42|7|2|11:58|pts/2|00:00:02|sh -c sleep 1")]
    [InlineData("aux", "root|42|2.0|10.0|8000|400|pts/2|SNsl+|11:58|0:02|sh -c sleep 1")]
    [InlineData("-e", "42|pts/2|00:00:02|a ) (b")]
    [InlineData("ax", "42|pts/2|SNsl+|0:02|sh -c sleep 1")]
    [InlineData("-eo pid,gid,etime", "42|9|01:40")]
    [InlineData("-o pid -o ni,nlwp", "42|5|3")]
    [InlineData("axo ppid,%mem", "7|10.0")]
    public void Columns_are_what_ps_shows(string? arguments, string expected) =>
        Assert.Equal(expected, string.Join('|', TopFormat.Parse(arguments).Columns.Select(c => c.Text(Entry, Host))));

    [Theory]
    [InlineData("-L")]
    [InlineData("--forest")]
    [InlineData("-o")]
    [InlineData("-p 1")]
    [InlineData("-o pid=X")]
    public void An_argument_that_is_not_offered_is_refused(string arguments) =>
        Assert.Contains("ps", Assert.Throws<InvalidContainerException>(() => TopFormat.Parse(arguments)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_machines_time_is_that_of_seven_fields_and_its_processors_are_counted()
    {
        var host = HostCpu.Parse("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1\ncpu1 1 1 1 1\nintr 5\n");
        Assert.Equal(new HostCpu(280_000_000, 2), host);
        Assert.Equal(2048, HostMemory.Parse("MemTotal:       2 kB\nMemFree: 1 kB\n"));
    }

    [Fact]
    public void A_container_on_the_hosts_network_shows_no_interfaces_and_one_without_a_limit_the_machines_memory()
    {
        var usage = new ContainerUsage
        {
            Id = "x",
            Memory = new MemoryCount(5, 6, null, 7, System.Collections.Immutable.ImmutableDictionary<string, long>.Empty),
            Interfaces = [new InterfaceCount("eth0", 1, 2, 3, 4, 5, 6, 7, 8)],
            Devices = [new DeviceCount(8, 0, 10, 20, 1, 2)],
        };
        var names = new ContainerStats { Id = "x", Name = "/x" };
        var shown = UsageView.Of(names, usage, new HostCpu(9, 2), DateTimeOffset.UnixEpoch, ownNetwork: false);
        Assert.Null(shown.Networks);
        Assert.Equal(HostMemory.Total, shown.Memory.Limit);
        Assert.Equal([("read", 10L), ("write", 20L)], shown.Blkio.Bytes!.Select(e => (e.Operation, e.Value)));
        Assert.Equal(6, UsageView.Of(names, usage, new HostCpu(9, 2), DateTimeOffset.UnixEpoch, ownNetwork: true).Networks!["eth0"].TxPackets);
    }
}
