using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Lab;

/// <summary>What a lab's host is: a machine of its own in all that matters, which power and cables can be taken from.</summary>
public sealed class HostTests(HostTests.ThreeHosts hosts) : IClassFixture<HostTests.ThreeHosts>
{
    private readonly LabCluster _lab = hosts.Lab;

    /// <summary>For all tests of the class: each leaves the hosts with power and no cuts.</summary>
    public sealed class ThreeHosts : IAsyncLifetime
    {
        internal LabCluster Lab { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Lab = await LabCluster.UpAsync(3, "--apart");

        public ValueTask DisposeAsync() => Lab?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_host_has_a_name_a_network_processes_and_runtime_state_of_its_own()
    {
        Assert.Equal("host2\n", await In("host2", "hostname"));
        Assert.Equal("eth0\nlo\n", await In("host2", "sh", "-c", "ls /sys/class/net | grep -v ^or"));
        Assert.Contains($"{_lab.Address("host2")}/24", await In("host2", "ip", "-4", "addr", "show", "eth0"), StringComparison.Ordinal);
        Assert.Equal("orch\n", await In("host2", "ls", "/run"));
        var processes = await In("host2", "ps", "axo", "pid,args");
        Assert.Contains($"1 orch-lab {_lab.Name} host2", processes, StringComparison.Ordinal);
        Assert.Single(processes.Split('\n'), l => l.Contains(" daemon ", StringComparison.Ordinal));
        Assert.Equal("0::/system\n", (await In("host2", "grep", "^0:", "/proc/self/cgroup")));
        Assert.Contains($"{_lab.Address("host3")} host3\n", await In("host2", "cat", "/etc/hosts"), StringComparison.Ordinal);
        Assert.NotEqual(await In("host1", "readlink", "/proc/self/ns/net"), await In("host2", "readlink", "/proc/self/ns/net"));
    }

    [Fact]
    public async Task The_command_line_finds_the_hosts_own_daemon_inside_and_by_env_outside()
    {
        Assert.Equal("host2", (await In("host2", "orch", "info", "--format", "{{.Name}}")).Trim());
        var env = (await _lab.LabAsync("env", "host3")).Succeeded().Output;
        var said = await Shell.RunAsync("sh", ["-ec", $"{env}exec {_lab.Command("env")[0]} info --format '{{{{.Name}}}}'"]);
        Assert.Equal("host3", said.Succeeded().Output.Trim());
        var other = await Shell.RunAsync(_lab.Command("exec")[0], _lab.Command("exec", "host2", "--", "orch", "info", "--format", "{{.Name}}")[1..],
            environment: new Dictionary<string, string> { ["ORCH_HOST"] = $"unix://{_lab.Socket("host1")}" });
        Assert.Equal("host2", other.Succeeded().Output.Trim());
    }

    [Fact]
    public async Task Exec_hands_over_stdin_output_folder_and_exit_code()
    {
        var ran = await Shell.RunAsync(_lab.Command("exec")[0], _lab.Command("exec", "host1", "--", "sh", "-c", "cat; pwd; echo wrong >&2; exit 7")[1..], "said\n");
        Assert.Equal((7, $"said\n{Directory.GetCurrentDirectory()}\n", "wrong\n"), (ran.ExitCode, ran.Output, ran.Error));
        Assert.Equal(137, (await _lab.InsideAsync("host1", "sh", "-c", "kill -9 $$")).ExitCode);
        var missing = await _lab.InsideAsync("host1", "no-such-program");
        Assert.Equal((127, "exec: \"no-such-program\": executable file not found in $PATH\n"), (missing.ExitCode, missing.Error));
        var nobody = await _lab.InsideAsync("host9", "true");
        Assert.Equal(1, nobody.ExitCode);
        Assert.Contains("there is no host 'host9'", nobody.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_person_at_a_terminal_works_in_a_host_and_a_key_interrupts_the_program_alone()
    {
        var shell = await Terminal.RunAsync(_lab.Command("exec", "host2", "--", "sh", "-i"),
            Terminal.Type("echo $((6*7)).; stty size\n"), Terminal.Expect("42."), Terminal.Expect("33 101"),
            Terminal.Type("sh -c 'echo sleeps$((1+1)); exec sleep 1000'\n"), Terminal.Expect("sleeps2"), Terminal.Type("\u0003"),
            Terminal.Type("echo $(hostname).; exit 9\n"), Terminal.Expect("host2."));
        Assert.True(shell.ExitCode == 9, shell.Output);
    }

    [Fact]
    public async Task A_cut_host_reaches_nobody_and_is_reached_by_nobody_until_it_is_healed()
    {
        Assert.Equal("1>2 1>3 2>1 2>3 3>1 3>2", await ReachAsync());
        await _lab.CutAsync("host1");
        Assert.Equal("2>3 3>2", await ReachAsync());
        Assert.Contains("host1 192.168.200.11 running all", await ListAsync(), StringComparison.Ordinal);
        (await _lab.LabAsync("cut", "host2", "--from", "host3")).Succeeded();
        Assert.Equal("", await ReachAsync());
        await _lab.HealAsync("host1");
        Assert.Equal("1>2 1>3 2>1 3>1", await ReachAsync());
        Assert.Contains("host3 192.168.200.13 running host2", await ListAsync(), StringComparison.Ordinal);
        (await _lab.LabAsync("heal")).Succeeded();
        Assert.Equal("1>2 1>3 2>1 2>3 3>1 3>2", await ReachAsync());
        Assert.Equal(1, (await _lab.LabAsync("cut", "host2", "--from", "host2")).ExitCode);
    }

    [Fact]
    public async Task A_power_cut_ends_everything_in_the_host_at_once_and_leaves_its_disk()
    {
        await In("host2", "orch", "run", "-d", "--name", "work", "busybox", "sleep", "1000");
        await In("host2", "sh", "-c", "setsid sleep 1234567 >/dev/null 2>&1 & touch /run/gone");
        var holder = _lab.State.Host("host2").Holder!;
        await _lab.PowerOffAsync("host2");
        Assert.Contains("host2 192.168.200.12 stopped", await ListAsync(), StringComparison.Ordinal);
        Assert.Empty(InNamespaces(holder.Namespaces));
        Assert.Equal(1, (await _lab.InsideAsync("host2", "true")).ExitCode);
        Assert.NotEqual(0, (await _lab.InsideAsync("host1", "busybox", "ping", "-c1", "-W1", _lab.Address("host2"))).ExitCode);

        await _lab.PowerOnAsync("host2");
        Assert.Equal("work Exited", (await In("host2", "orch", "ps", "-a", "--format", "{{.Names}} {{slice .Status 0 6}}")).Trim());
        Assert.Equal("orch\n", await In("host2", "ls", "/run"));
        Assert.Equal("work\n", await In("host2", "orch", "start", "work"));
        Assert.Contains("Up ", await In("host2", "orch", "ps"), StringComparison.Ordinal);
        (await _lab.InsideAsync("host1", "busybox", "ping", "-c1", "-W2", _lab.Address("host2"))).Succeeded();
    }

    [Fact]
    public async Task A_daemon_may_be_restarted_or_crash_while_its_containers_go_on()
    {
        await In("host3", "orch", "run", "-d", "--name", "lasting", "busybox", "sleep", "1000");
        var pid = await In("host3", "orch", "inspect", "--format", "{{.State.Pid}}", "lasting");
        var daemon = _lab.DaemonPid("host3");
        await _lab.CrashDaemonsAsync("host3", "host1");
        Assert.NotEqual(daemon, _lab.DaemonPid("host3"));
        await _lab.RestartDaemonsAsync("host3");
        Assert.Equal(pid, await In("host3", "orch", "inspect", "--format", "{{.State.Pid}}", "lasting"));
        Assert.Contains("Stopped", _lab.DaemonLog("host3"), StringComparison.Ordinal);
        await _lab.KillDaemonAsync("host3");
        Assert.Contains("host3 192.168.200.13 no daemon", await ListAsync(), StringComparison.Ordinal);
        await _lab.StartDaemonsAsync("host3");
        Assert.Equal(pid, await In("host3", "orch", "inspect", "--format", "{{.State.Pid}}", "lasting"));
    }

    [Fact]
    public async Task Images_come_from_archives_and_from_other_hosts()
    {
        Assert.Contains("busybox:latest", await In("host3", "orch", "images", "--format", "{{.Repository}}:{{.Tag}}"), StringComparison.Ordinal);
        var archive = Path.Combine(_lab.Root, "named.tar");
        await File.WriteAllBytesAsync(archive, TestImages.Busybox("named:1"), TestContext.Current.CancellationToken);
        (await _lab.LabAsync("load", "--host", "host1", archive)).Succeeded();
        File.Delete(archive);
        Assert.Contains("named:1", await In("host1", "orch", "images", "--format", "{{.Repository}}:{{.Tag}}"), StringComparison.Ordinal);
        Assert.DoesNotContain("named", await In("host2", "orch", "images"), StringComparison.Ordinal);
        Assert.Contains("host3: Loaded image: named:1", (await _lab.LabAsync("load", "--from", "host1", "named:1")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("named:1", await In("host2", "orch", "images", "--format", "{{.Repository}}:{{.Tag}}"), StringComparison.Ordinal);
        var none = await _lab.LabAsync("load", "--from", "host1", "nothing:2");
        Assert.Equal(1, none.ExitCode);
        Assert.Contains("nothing:2 is no file", none.Error, StringComparison.Ordinal);
    }

    private async Task<string> In(string host, params string[] command) => (await _lab.InsideAsync(host, command)).Succeeded().Output;

    private async Task<string> ListAsync() =>
        string.Join('\n', (await _lab.LabAsync("ls", "--format", "{{.Host}} {{.Address}} {{.State}} {{.Cuts}}")).Succeeded().Output.Split('\n').Select(l => l.Trim()));

    /// <summary>Who gets an answer from whom.</summary>
    private async Task<string> ReachAsync()
    {
        var pairs = from a in Enumerable.Range(1, 3) from b in Enumerable.Range(1, 3) where a != b select (a, b);
        var asked = await Task.WhenAll(pairs.Select(async p =>
            (p.a, p.b, Ran: await _lab.InsideAsync($"host{p.a}", "busybox", "ping", "-c1", "-W1", _lab.Address($"host{p.b}")))));
        return string.Join(' ', asked.Where(r => r.Ran.ExitCode == 0).Select(r => $"{r.a}>{r.b}"));
    }

    private static IEnumerable<string> InNamespaces(IEnumerable<string> namespaces) =>
        Directory.EnumerateDirectories("/proc").Where(p => char.IsAsciiDigit(Path.GetFileName(p)[0]))
            .Where(p => namespaces.Intersect(new[] { "net", "mnt", "uts" }.Select(k => Link($"{p}/ns/{k}"))).Any());

    private static string Link(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
