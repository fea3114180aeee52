using System.Globalization;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Spec;
using static Orchestrator.Tests.Integration.Runtime.ExecHost;

namespace Orchestrator.Tests.Integration.Runtime;

public sealed class ExecTests
{
    public ExecTests() => RuntimeHost.NeedRoot();

    [Fact]
    public async Task An_exec_tells_its_output_and_how_it_ended()
    {
        await using var host = new RuntimeHost();
        await host.IdleAsync("c");
        Assert.Equal((3, "out\n", "wrong\n"), await host.Runtime.RunExecAsync("c", ExecShell("echo out; echo wrong >&2; exit 3")));
        Assert.Equal(137, (await host.Runtime.RunExecAsync("c", ExecShell("kill -9 $$"))).Code);
        Assert.Equal((0, "", ""), await host.Runtime.RunExecAsync("c", ExecShell("echo unseen; cat") with { Stdout = false }));
    }

    [Fact]
    public async Task An_exec_is_where_the_container_is_and_may_what_it_was_given()
    {
        await using var host = new RuntimeHost();
        var container = await host.IdleAsync("c");
        var kinds = (string[])["mnt", "cgroup", "uts", "ipc", "pid", "net"];
        var (code, output, _) = await host.Runtime.RunExecAsync("c", ExecShell("hostname; for n in mnt cgroup uts ipc pid net; do readlink /proc/self/ns/$n; done"));
        Assert.Equal(0, code);
        var lines = output.Split('\n');
        Assert.Equal("box", lines[0]);
        foreach (var kind in kinds)
            Assert.Contains(new FileInfo($"/proc/{container.Pid}/ns/{kind}").LinkTarget, lines);
        // Its own groups as the host sees them, while it runs.
        await using (var waiting = await host.Runtime.ExecAsync("c", Exec("cat") with { Stdin = true }, CancellationToken.None))
            Assert.Equal(await File.ReadAllTextAsync($"/proc/{container.Pid}/cgroup"), await File.ReadAllTextAsync($"/proc/{waiting.Pid}/cgroup"));

        var status = (await host.Runtime.RunExecAsync("c", Exec("cat", "/proc/self/status"))).Output;
        Assert.Equal(Field(File.ReadAllText($"/proc/{container.Pid}/status"), "CapEff"), Field(status, "CapEff"));
        // The launch stays on one processor; neither the container's program nor the exec's does.
        var processors = Field(File.ReadAllText("/proc/self/status"), "Cpus_allowed_list");
        Assert.Equal(processors, Field(File.ReadAllText($"/proc/{container.Pid}/status"), "Cpus_allowed_list"));
        Assert.Equal(processors, Field(status, "Cpus_allowed_list"));
        Assert.Equal("2", Field(status, "Seccomp"));
        Assert.Equal("0", Field(status, "NoNewPrivs"));
        Assert.Equal("0000000000000000", Field(status, "SigBlk"));
        Assert.Equal("0000000000000000", Field(status, "SigIgn"));
        Assert.Equal("/proc/self/fd: 0 1 2 3", (await host.Runtime.RunExecAsync("c", ExecShell("echo /proc/self/fd: $(ls /proc/self/fd)"))).Output.TrimEnd());
    }

    [Fact]
    public async Task A_user_an_environment_a_directory_and_fewer_privileges_are_obeyed()
    {
        await using var host = new RuntimeHost();
        await host.IdleAsync("c");
        var launch = ExecShell("id -u; id -g; id -G; echo $COLOUR; pwd; grep -E 'NoNewPrivs|CapEff' /proc/self/status; echo again > /dev/stdout");
        var (code, output, error) = await host.Runtime.RunExecAsync("c", launch with
        {
            Process = launch.Process with
            {
                User = new OciUser { Uid = 1000, Gid = 1001, AdditionalGids = [7] },
                Env = ["PATH=/bin", "COLOUR=blue"],
                Cwd = "/tmp",
                Capabilities = null,
                NoNewPrivileges = true,
            },
        });
        Assert.Equal(
            (0, "1000\n1001\n1001 7\nblue\n/tmp\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nagain\n", ""),
            (code, output, error));
    }

    [Fact]
    public async Task A_program_that_cannot_be_executed_is_refused_in_Dockers_words()
    {
        await using var host = new RuntimeHost();
        await host.IdleAsync("c");
        await RefusedAsync(Exec("nowhere"), 127, "OCI runtime exec failed: exec failed: unable to start container process: exec: \"nowhere\": executable file not found in $PATH: unknown");
        await RefusedAsync(Exec("/no/such"), 127, "OCI runtime exec failed: exec failed: unable to start container process: exec: \"/no/such\": stat /no/such: no such file or directory: unknown");
        await RefusedAsync(Exec("/etc/text"), 126, "OCI runtime exec failed: exec failed: unable to start container process: exec: \"/etc/text\": permission denied: unknown");
        var lost = Exec("true");
        await RefusedAsync(
            lost with { Process = lost.Process with { Cwd = "/nowhere" } }, 127,
            "OCI runtime exec failed: exec failed: unable to start container process: chdir to cwd (\"/nowhere\") set in config.json failed: no such file or directory: unknown");
        Assert.Equal(0, (await host.Runtime.RunExecAsync("c", Exec("true"))).Code);

        async Task RefusedAsync(ExecLaunch launch, int code, string sentence)
        {
            var refusal = await Assert.ThrowsAsync<RuntimeException>(() => host.Runtime.ExecAsync("c", launch, CancellationToken.None));
            Assert.Equal((code, sentence), (refusal.ExitCode, refusal.Message));
        }
    }

    [Fact]
    public async Task Its_input_can_be_closed_while_its_output_goes_on()
    {
        await using var host = new RuntimeHost();
        await host.IdleAsync("c");
        await using var session = await host.Runtime.ExecAsync("c", ExecShell("cat; echo end; exit 4") with { Stdin = true }, CancellationToken.None);
        await session.Input.SayAsync("one\n");
        Assert.Equal("one\n", await session.Output!.ReadUntilAsync("one\n"));
        await session.Input.SayAsync("two\n");
        await session.CloseInputAsync();
        Assert.Equal("two\nend\n", await ReadAsync(session.Output).WaitAsync(Deadline));
        Assert.Equal(4, (await session.Ended.WaitAsync(Deadline)).ExitCode);
    }

    [Fact]
    public async Task Nothing_is_lost_when_much_is_written_and_slowly_read()
    {
        const int size = 64 << 20;
        await using var host = new RuntimeHost();
        await host.IdleAsync("c");
        await using var session = await host.Runtime.ExecAsync("c", ExecShell($"yes 0123456789abcde | head -c {size}"), CancellationToken.None);
        using var sum = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        var buffer = new byte[100_000];
        long total = 0;
        while (await session.Output!.ReadAsync(buffer).AsTask().WaitAsync(Deadline) is > 0 and var count)
        {
            for (var i = 0; i < count; i++)
                Assert.True(buffer[i] == "0123456789abcde\n"[(int)((total + i) % 16)], $"byte {total + i} is wrong");
            total += count;
        }
        Assert.Equal(size, total);
        Assert.Equal(0, (await session.Ended.WaitAsync(Deadline)).ExitCode);
    }

    [Fact]
    public async Task An_exec_counts_against_the_containers_limits()
    {
        await using var host = new RuntimeHost();
        await host.IdleAsync("c"); // 64 MiB
        var (code, _, _) = await host.Runtime.RunExecAsync("c", Exec("dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"));
        Assert.Equal(137, code);
        Assert.Equal(0, (await host.Runtime.RunExecAsync("c", Exec("true"))).Code);
    }

    [Fact]
    public async Task A_signal_ends_the_exec_alone_and_the_containers_end_ends_all_execs()
    {
        await using var host = new RuntimeHost();
        await host.IdleAsync("c");
        await using var one = await host.Runtime.ExecAsync("c", Exec("sleep", "1000"), CancellationToken.None);
        await using var two = await host.Runtime.ExecAsync("c", Exec("sleep", "1000"), CancellationToken.None);
        await one.SignalAsync(9);
        Assert.Equal((137, 9), ((await one.Ended.WaitAsync(Deadline)).ExitCode, (await one.Ended).Signal));
        await one.SignalAsync(9);
        Assert.False(two.Ended.IsCompleted);
        await host.Runtime.SignalAsync("c", 9, CancellationToken.None);
        Assert.Equal(137, (await two.Ended.WaitAsync(Deadline)).ExitCode);
        await host.ExitAsync("c");
        var refusal = await Assert.ThrowsAsync<RuntimeException>(() => host.Runtime.ExecAsync("c", Exec("true"), CancellationToken.None));
        Assert.Equal("Container c is not running", refusal.Message);
    }

    [Fact]
    public async Task Many_execs_at_once_all_end_with_their_own_codes_and_leave_nothing()
    {
        await using var host = new RuntimeHost();
        await host.IdleAsync("a");
        await host.IdleAsync("b");
        var before = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (n, _) =>
        {
            var (code, output, _) = await host.Runtime.RunExecAsync(n % 2 == 0 ? "a" : "b", ExecShell($"echo {n}; exit {n % 100}"));
            Assert.Equal((n % 100, n.ToString(CultureInfo.InvariantCulture) + "\n"), (code, output));
        });
        await UntilAsync(() => Directory.GetFileSystemEntries("/proc/self/fd").Length <= before + 8, "the descriptors of 200 execs are closed");
    }

    [Fact]
    public async Task A_paused_container_refuses_execs_and_takes_them_again_when_it_goes_on()
    {
        await using var host = new RuntimeHost();
        await host.IdleAsync("c");
        await host.Runtime.PauseAsync("c", CancellationToken.None);
        var refusal = await Assert.ThrowsAsync<RuntimeException>(() => host.Runtime.ExecAsync("c", Exec("true"), CancellationToken.None));
        Assert.Equal("Container c is paused, unpause the container before exec", refusal.Message);
        await host.Runtime.ResumeAsync("c", CancellationToken.None);
        Assert.Equal(0, (await host.Runtime.RunExecAsync("c", Exec("true"))).Code);
    }

    private static string Field(string status, string name) =>
        status.Split('\n').Single(l => l.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim();
}
