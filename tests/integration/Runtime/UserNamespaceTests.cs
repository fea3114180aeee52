using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Spec;
using Orchestrator.Worker.Runtime.Users;

namespace Orchestrator.Tests.Integration.Runtime;

public sealed class UserNamespaceTests
{
    private static readonly OciIdMapping Mapping = new() { ContainerId = 0, HostId = 231072, Size = 65536 };

    public UserNamespaceTests() => RuntimeHost.NeedRoot();

    [Fact]
    public async Task Roots_in_the_container_are_nobody_on_the_host()
    {
        await using var host = new RuntimeHost();
        var (exit, output) = await host.RunAsync(Mapped(host, host.Shell(
            "mapped",
            "id -u; head -1 /proc/self/uid_map; stat -c '%u:%g' /bin/busybox; touch /new; stat -c '%u' /new; echo x > /dev/null && echo null; stat -c '%u' /dev/null; echo x > /dev/stdout; hostname; cat /proc/self/oom_score_adj; ls /sys/class/net; mount | grep -c ' on /sys/fs/cgroup'; echo done")));
        Assert.Equal(
            ["0", "         0     231072      65536", "0:0", "0", "null", "0", "x", "box", "0", "lo"], output.Take(10));
        Assert.Equal((0, "done"), (exit.ExitCode, output[^1]));
        Assert.Equal("231072", Owner(Path.Combine(host.Root, "mapped/upper/new")));
        Assert.Equal("0", Owner(Path.Combine(host.Root, "image/bin/busybox")));
    }

    [Fact]
    public async Task The_containers_root_can_make_no_device_and_change_nothing_of_the_host()
    {
        await using var host = new RuntimeHost();
        var request = Mapped(host, host.Shell("devices", "mknod /x c 1 3 2>/dev/null || echo refused; echo 5 2>/dev/null > /proc/sys/kernel/panic || echo closed; cat /proc/1/environ >/dev/null && echo own"));
        var all = Orchestrator.Worker.Runtime.Plan.Capabilities.All;
        request = request with
        {
            SeccompUnconfined = true,
            Spec = request.Spec with
            {
                Process = request.Spec.Process with { Capabilities = new OciCapabilities { Bounding = all, Effective = all, Permitted = all } },
                Linux = request.Spec.Linux with { ReadonlyPaths = [], MaskedPaths = [] },
            },
        };
        var (_, output) = await host.RunAsync(request);
        Assert.Contains("refused", output);
        Assert.Contains("own", output);
        Assert.Contains(output, l => l == "closed" || l.Contains("can't create /proc/sys/kernel/panic", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_mapped_bind_keeps_the_owners_of_its_files_and_a_plain_one_shows_the_hosts()
    {
        await using var host = new RuntimeHost();
        var volume = Directory.CreateDirectory(Path.Combine(host.Root, "volume")).FullName;
        File.WriteAllText(Path.Combine(volume, "old"), "old\n");
        var request = Mapped(host, host.Shell("binds", "stat -c '%u' /mapped/old /plain/old; touch /mapped/made; touch /plain/made 2>/dev/null || echo refused"));
        request = request with
        {
            Spec = request.Spec with
            {
                Mounts =
                [
                    .. request.Spec.Mounts,
                    new OciMount { Destination = "/mapped", Source = volume, Type = "bind", Options = ["rbind", "rprivate", "rw", "idmap"] },
                    new OciMount { Destination = "/plain", Source = volume, Type = "bind", Options = ["rbind", "rprivate", "rw"] },
                ],
            },
        };
        var (_, output) = await host.RunAsync(request);
        Assert.Equal(["0", "65534", "refused"], output);
        Assert.Equal("0", Owner(Path.Combine(volume, "made")));
    }

    [Fact]
    public async Task A_user_other_than_root_an_init_and_exit_codes_work_too()
    {
        await using var host = new RuntimeHost();
        var request = Mapped(host, host.Shell("user", "id -u; touch /tmp/mine; echo out > /dev/stdout; exit 7") with { Init = true });
        File.SetUnixFileMode(Path.Combine(host.Root, "image/tmp"), (UnixFileMode)0b1_111_111_111);
        request = request with { Spec = request.Spec with { Process = request.Spec.Process with { User = new OciUser { Uid = 1000, Gid = 1000 }, Rlimits = [new OciRlimit { Type = "RLIMIT_NOFILE", Soft = 64, Hard = 128 }] } } };
        var (exit, output) = await host.RunAsync(request);
        Assert.Equal((7, "1000", "out"), (exit.ExitCode, output[0], output[1]));
        Assert.Equal("232072", Owner(Path.Combine(host.Root, "user/upper/tmp/mine")));
    }

    [Fact]
    public async Task A_failure_inside_the_second_process_is_told_and_leaves_nothing()
    {
        await using var host = new RuntimeHost();
        var failure = await Assert.ThrowsAsync<RuntimeException>(() => host.StartAsync(Mapped(host, host.Request("missing", "nothing-like-it"))));
        Assert.Equal(127, failure.ExitCode);
        Assert.Contains("executable file not found in $PATH", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(host.CgroupDirectories(), d => Directory.Exists($"{d}/missing"));
    }

    [Fact]
    public async Task An_exec_joins_the_containers_ids_with_pipes_and_on_a_terminal()
    {
        await using var host = new RuntimeHost();
        await host.StartAsync(Mapped(host, host.Request("ids", "sleep", "1000")));
        var launch = ExecHost.ExecShell("id -u; touch /made; cat /proc/self/uid_map; echo out > /dev/stdout");
        var (code, output, _) = await host.Runtime.RunExecAsync("ids", launch);
        Assert.Equal((0, "0", "out"), (code, output.Split('\n')[0], output.Split('\n')[^2]));
        Assert.DoesNotContain("4294967295", output);
        Assert.NotEqual("0", Owner(Path.Combine(host.Root, "ids/upper/made")));
        var user = launch.Process with { User = new OciUser { Uid = 1000, Gid = 1000 }, Args = ["sh", "-c", "id -u; stat -c %u $(tty); echo x > $(tty)"] };
        Assert.Equal("1000\r\n1000\r\nx\r\n", (await host.Runtime.RunExecAsync("ids", TerminalTests.OnTerminal(launch with { Process = user }))).Output);
    }

    [Fact]
    public async Task A_container_with_ids_of_its_own_runs_on_a_terminal()
    {
        await using var host = new RuntimeHost();
        var request = Mapped(host, host.Shell("tty", "tty; stat -c %u:%g /dev/pts/0; echo x > /dev/console; exit 3"));
        var (exit, output) = await host.RunAsync(request with { Spec = request.Spec with { Process = request.Spec.Process with { Terminal = true } } });
        Assert.Equal((3, "/dev/pts/0\r", "0:5\r", "x\r"), (exit.ExitCode, output[0], output[1], output[2]));
    }

    [Fact]
    public async Task A_container_joins_the_processes_of_another()
    {
        await using var host = new RuntimeHost();
        var first = await host.StartAsync(host.Shell("first", "echo ready; sleep 1000"));
        await host.WaitForOutputAsync("first", "ready");
        var second = host.Shell("second", "echo me $$; ps -o pid,args | grep -v grep | grep -c 'sleep 1000'; kill -9 $(ps -o pid,args | grep 'sleep 1000' | grep -v grep | head -1 | sed 's/^ *//; s/ .*//'); exit 5");
        File.CreateSymbolicLink(Path.Combine(host.Root, "image/bin/sed"), "busybox");
        second = second with
        {
            Spec = second.Spec with
            {
                Linux = second.Spec.Linux with
                {
                    Namespaces = [.. second.Spec.Linux.Namespaces.Select(n => n.Type == "pid" ? n with { Path = $"/proc/{first.Pid}/ns/pid" } : n)],
                },
            },
        };
        var (exit, output) = await host.RunAsync(second);
        Assert.NotEqual("me 1", output[0]);
        Assert.Equal(("1", 5), (output[1], exit.ExitCode));
    }

    private static LaunchRequest Mapped(RuntimeHost host, LaunchRequest request)
    {
        var path = UserNamespaces.Ensure(Path.Combine(host.Root, "userns"), [Mapping], [Mapping]);
        var net = Path.Combine(host.Root, $"net-{request.Id}");
        using (var made = UserNamespaces.MakeNetwork(path))
            Orchestrator.Worker.Linux.Namespaces.Pin(made, net);
        host.Unmount(path);
        host.Unmount(net);
        return request with
        {
            Spec = request.Spec with
            {
                Linux = request.Spec.Linux with
                {
                    UidMappings = [Mapping],
                    GidMappings = [Mapping],
                    Namespaces =
                    [
                        .. request.Spec.Linux.Namespaces.Select(n => n.Type == "network" ? n with { Path = net } : n),
                        new OciNamespace { Type = "user", Path = path },
                    ],
                },
            },
        };
    }

    private static string Owner(string path) => Orchestrator.Worker.Linux.FileOps.Status(path)!.Value.Uid.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
