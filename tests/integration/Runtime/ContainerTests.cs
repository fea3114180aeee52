using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Integration.Runtime;

public sealed class ContainerTests
{
    public ContainerTests() => RuntimeHost.NeedRoot();

    [Fact]
    public async Task A_program_says_hello_and_its_output_is_logged()
    {
        await using var host = new RuntimeHost();
        var (exit, output) = await host.RunAsync(host.Shell("hello", "echo hello; echo wrong >&2; echo -n rest"));
        Assert.Equal((0, null, false, false), (exit.ExitCode, exit.Signal, exit.OomKilled, exit.Unknown));
        Assert.Equal(["hello", "rest", "stderr: wrong"], output.Order());
    }

    [Theory]
    [InlineData("exit 3", 3, null)]
    [InlineData("kill -9 $$", 0, null)]
    [InlineData("sh -c 'kill -11 $$'; exit $?", 139, null)]
    public async Task Exit_codes_are_told(string script, int code, int? signal)
    {
        await using var host = new RuntimeHost();
        var (exit, _) = await host.RunAsync(host.Shell("code", script));
        Assert.Equal((code, signal), (exit.ExitCode, exit.Signal));
    }

    [Theory]
    [InlineData(15, 7)]
    [InlineData(9, 137)]
    public async Task A_signal_reaches_the_first_process(int signal, int code)
    {
        await using var host = new RuntimeHost();
        await host.StartAsync(host.Shell("signal", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"));
        await host.WaitForOutputAsync("signal", "ready");
        await host.Runtime.SignalAsync("signal", signal, CancellationToken.None);
        var exit = await host.ExitAsync("signal");
        Assert.Equal(code, exit.ExitCode);
        Assert.Equal(signal == 9 ? 9 : null, exit.Signal);
        await host.Runtime.SignalAsync("signal", signal, CancellationToken.None); // ended: no error
    }

    [Fact]
    public async Task The_container_sees_its_own_world()
    {
        await using var host = new RuntimeHost();
        var request = host.Shell("world", "hostname; pwd; id -u; id -g; id -G; echo $$; cat /proc/self/oom_score_adj; umask; echo $FOO; ls /sys/class/net; cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max; grep -c . /proc/self/mountinfo >/dev/null && echo mounted");
        var process = request.Spec.Process with { Cwd = "/new/place", User = new OciUser { Uid = 1000, Gid = 1001, AdditionalGids = [5, 6] }, Env = ["PATH=/bin", "FOO=bar"] };
        var (_, output) = await host.RunAsync(request with { Spec = request.Spec with { Process = process } });
        Assert.Equal(["box", "/new/place", "1000", "1001", "1001 5 6", "1", "0", "0022", "bar", "lo", "100", "mounted"], output);
    }

    [Fact]
    public async Task A_user_can_write_to_dev_stdout()
    {
        await using var host = new RuntimeHost();
        var request = host.Shell("stdout", "echo through > /dev/stdout; echo err > /dev/stderr");
        var process = request.Spec.Process with { User = new OciUser { Uid = 1000, Gid = 1000 } };
        var (exit, output) = await host.RunAsync(request with { Spec = request.Spec with { Process = process } });
        Assert.Equal(["stderr: err", "through"], output.Order());
        Assert.Equal(0, exit.ExitCode);
    }

    [Fact]
    public async Task Masked_and_read_only_paths_are_closed()
    {
        await using var host = new RuntimeHost();
        var (_, output) = await host.RunAsync(host.Shell(
            "masks", "cat /proc/keys /proc/timer_list; ls -A /sys/firmware; echo x 2>&1 > /proc/sys/kernel/hostname; grep ' /proc/sys ' /proc/self/mountinfo | grep -c 'ro,nosuid,nodev,noexec'; echo 2>&1 > /sys/x"));
        Assert.Equal(
            ["1", "sh: can't create /proc/sys/kernel/hostname: Read-only file system", "sh: can't create /sys/x: Read-only file system"],
            output.Select(l => l.Replace("stderr: ", "")).Order());
    }

    [Fact]
    public async Task The_filter_denies_and_capabilities_are_Dockers()
    {
        await using var host = new RuntimeHost();
        var (_, output) = await host.RunAsync(host.Shell(
            "caps", "unshare -m true; grep -E '^(Cap(Eff|Bnd|Prm|Inh|Amb)|Seccomp|NoNewPrivs):' /proc/self/status | tr '\\t' ' '".Replace("tr ", "busybox tr ")));
        Assert.Contains(output, l => l.StartsWith("stderr: unshare:", StringComparison.Ordinal) && l.Contains("Operation not permitted", StringComparison.Ordinal));
        Assert.Contains("CapEff: 00000000a80425fb", output);
        Assert.Contains("CapBnd: 00000000a80425fb", output);
        Assert.Contains("CapInh: 0000000000000000", output);
        Assert.Contains("Seccomp: 2", output);
        Assert.Contains("NoNewPrivs: 0", output);
    }

    [Fact]
    public async Task No_new_privileges_and_ambient_capabilities_hold_for_a_user()
    {
        await using var host = new RuntimeHost();
        var request = host.Shell("nnp", "grep -E '^(CapEff|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | busybox tr '\\t' ' '");
        var process = request.Spec.Process with
        {
            NoNewPrivileges = true,
            User = new OciUser { Uid = 7 },
            Capabilities = RuntimeHost.DockerCapabilities with { Inheritable = ["CAP_NET_RAW"], Ambient = ["CAP_NET_RAW"] },
        };
        var (_, output) = await host.RunAsync(request with { Spec = request.Spec with { Process = process } });
        Assert.Equal(["CapEff: 0000000000002000", "CapAmb: 0000000000002000", "NoNewPrivs: 1", "Seccomp: 2"], output);
    }

    [Theory]
    [InlineData("nowhere", 127, "exec: \"nowhere\": executable file not found in $PATH")]
    [InlineData("/bin/nowhere", 127, "exec: \"/bin/nowhere\": stat /bin/nowhere: no such file or directory")]
    [InlineData("/etc/text", 126, "exec: \"/etc/text\": permission denied")]
    [InlineData("/etc", 126, "exec: \"/etc\": permission denied")]
    public async Task A_program_that_cannot_run_is_explained(string program, int code, string message)
    {
        await using var host = new RuntimeHost();
        foreach (var init in (bool[])[false, true])
        {
            var failure = await Assert.ThrowsAsync<RuntimeException>(() => host.StartAsync(host.Request("missing", program) with { Init = init }));
            Assert.Equal((message, code), (failure.Message, failure.ExitCode));
            Assert.Empty(await host.Runtime.ListAsync(CancellationToken.None));
            Assert.All(host.CgroupDirectories(), d => Assert.Empty(Directory.EnumerateDirectories(d)));
        }
    }

    [Fact]
    public async Task A_broken_layer_is_named()
    {
        await using var host = new RuntimeHost();
        var request = host.Request("broken", "true");
        var failure = await Assert.ThrowsAsync<RuntimeException>(() => host.StartAsync(request with { Root = request.Root with { LowerLayers = ["/nowhere/at/all"] } }));
        Assert.Equal($"mount overlay on {request.Root.Merged}: No such file or directory", failure.Message);
    }
}
