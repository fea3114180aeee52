using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Commands.Lab;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Lab;

namespace Orchestrator.Tests.Unit.Cli.Lab;

public sealed class LabStateTests
{
    private static readonly LabHolder Holder = new(new ProcessMark(int.MaxValue, 7), ["net:[1]"]);

    private static readonly LabState State = new()
    {
        Name = "lab",
        Boot = "first",
        Subnet = "10.0.0.0/24",
        Switch = Holder,
        Hosts =
        [
            new() { Name = "host1", Address = "10.0.0.11", Manager = true, Holder = Holder, Daemon = new(int.MaxValue, 8) },
            new() { Name = "host2", Address = "10.0.0.12" },
        ],
        Cuts = [new LabCut("host1", null)],
    };

    [Fact]
    public void The_file_holds_all_of_it()
    {
        var read = JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(State, LabJson.Default.LabState), LabJson.Default.LabState)!;
        Assert.Equal(State.Hosts[0].Daemon, read.Hosts[0].Daemon);
        Assert.Equal(State.Hosts[0].Holder!.Namespaces, read.Hosts[0].Holder!.Namespaces);
        Assert.Equal(State.Cuts, read.Cuts);
        Assert.Null(read.Hosts[1].Holder);
    }

    [Fact]
    public void In_another_boot_no_process_of_this_one_runs_and_cuts_stay()
    {
        Assert.Same(State, State.In("first"));
        var later = State.In("second");
        Assert.Null(later.Switch);
        Assert.All(later.Hosts, h => Assert.True(h is { Holder: null, Daemon: null }));
        Assert.Equal(State.Cuts, later.Cuts);
        Assert.Equal("second", later.Boot);
    }

    [Fact]
    public void A_host_that_is_not_there_is_refused_with_those_that_are() =>
        Assert.Equal("there is no host 'host3' in lab 'lab': it has host1, host2", Assert.Throws<CommandException>(() => State.Host("host3")).Message);

    [Fact]
    public void A_row_tells_state_role_and_cuts()
    {
        var node = new Node
        {
            Id = new NodeId("n"), Status = new NodeStatus { State = NodeState.Down }, ManagerStatus = new ManagerStatus { Leader = true },
        };
        ImmutableArray<LabCut> cuts = [new("host1", "host2"), new("host2", null)];
        Assert.Equal(new LabRow("host1", "10.0.0.11", "stopped", "leader", "down", "host2"), LabRow.Of(State.Hosts[0], cuts, node));
        Assert.Equal(new LabRow("host2", "10.0.0.12", "stopped", "worker", "down", "host1, all"), LabRow.Of(State.Hosts[1], cuts, node with { ManagerStatus = null }));
        Assert.Equal(new LabRow("host2", "10.0.0.12", "stopped", "", "", ""), LabRow.Of(State.Hosts[1], [], null));
        var own = State.Hosts[0] with { Holder = new(ProcessMark.Of(Environment.ProcessId), []), Daemon = ProcessMark.Of(Environment.ProcessId) };
        Assert.Equal("running", LabRow.Of(own, [], null).State);
        Assert.Equal("no daemon", LabRow.Of(own with { Daemon = own.Daemon! with { StartTime = 1 } }, [], null).State);
    }

    [Fact]
    public void A_hosts_file_names_all_hosts_and_the_switch() =>
        Assert.Equal(
            "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n10.0.0.11 host1\n10.0.0.12 host2\n10.0.0.1 switch\n", LabEtc.Hosts(State));

    [Fact]
    public void Programs_in_a_host_are_led_to_no_other_daemon_and_find_orch()
    {
        var environment = LabProgram.Environment(new Dictionary<string, string> { ["PATH"] = "/bin", ["ORCH_HOST"] = "unix:///x", ["DOCKER_HOST"] = "y", ["TERM"] = "vt100" });
        Assert.Equal(["TERM=vt100", $"PATH={Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)}:/bin"], environment);
    }
}
