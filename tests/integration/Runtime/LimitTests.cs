using System.Globalization;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Integration.Runtime;

public sealed class LimitTests
{
    public LimitTests() => RuntimeHost.NeedRoot();

    [Fact]
    public async Task Running_out_of_memory_is_told_apart_from_being_killed()
    {
        await using var host = new RuntimeHost();
        var (exit, _) = await host.RunAsync(With(host.Shell("hog", "busybox dd if=/dev/zero of=/dev/null bs=200M count=1"), new OciResources { Memory = new OciMemory { Limit = 16 << 20, Swap = 16 << 20 } }));
        Assert.True(exit.OomKilled);
        Assert.NotEqual(0, exit.ExitCode);
        await host.StartAsync(host.Shell("victim", "sleep 1000"));
        await host.Runtime.SignalAsync("victim", 9, CancellationToken.None);
        var killed = await host.ExitAsync("victim");
        Assert.Equal((137, false), (killed.ExitCode, killed.OomKilled));
    }

    [Fact]
    public async Task A_fork_bomb_stops_at_its_limit()
    {
        await using var host = new RuntimeHost();
        var (_, output) = await host.RunAsync(With(
            host.Shell("bomb", "i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done; echo all"), new OciResources { Pids = new OciPids { Limit = 10 } }));
        Assert.Contains(output, l => l.Contains("can't fork", StringComparison.Ordinal));
        Assert.DoesNotContain("all", output);
    }

    [Fact]
    public async Task A_burner_is_held_to_its_quota()
    {
        await using var host = new RuntimeHost();
        await host.StartAsync(With(host.Shell("burn", "while :; do :; done"), new OciResources { Cpu = new OciCpu { Quota = 20_000, Period = 100_000, Shares = 512 } }));
        var stat = host.CgroupDirectories().Select(d => $"{d}/burn/cpu.stat").First(f => File.Exists(f) && File.ReadAllText(f).Contains("nr_throttled", StringComparison.Ordinal));
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (File.ReadLines(stat).Where(l => l.StartsWith("nr_throttled ", StringComparison.Ordinal)).Sum(l => long.Parse(l[13..], CultureInfo.InvariantCulture)) < 3)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, deadline.Token);
    }

    [Fact]
    public async Task A_read_only_root_with_a_writable_tmpfs()
    {
        await using var host = new RuntimeHost();
        var request = host.Shell("ro", "touch /file; touch /scratch/file && stat -f -c %T /scratch; stat -c %a /scratch");
        var spec = request.Spec with
        {
            Root = new OciRoot { Readonly = true },
            Mounts = request.Spec.Mounts.Add(new OciMount { Destination = "/scratch", Type = "tmpfs", Source = "tmpfs", Options = ["size=1m", "mode=1770", "noexec"] }),
        };
        var (_, output) = await host.RunAsync(request with { Spec = spec });
        // Two streams have no order between them.
        Assert.Equal(["1770", "stderr: touch: /file: Read-only file system", "tmpfs"], output.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Binds_of_directories_and_files_writable_or_not()
    {
        await using var host = new RuntimeHost();
        var data = Directory.CreateDirectory(Path.Combine(host.Root, "data"));
        await File.WriteAllTextAsync(Path.Combine(host.Root, "config"), "setting\n");
        var request = host.Shell("binds", "echo new > /data/deep/file; cat /etc/app/config; echo x > /frozen/file; echo x > /etc/app/config");
        var spec = request.Spec with
        {
            Mounts =
            [
                .. request.Spec.Mounts,
                new OciMount { Destination = "/data/deep", Source = data.FullName, Type = "bind", Options = ["rbind", "rprivate"] },
                new OciMount { Destination = "/frozen", Source = data.FullName, Type = "bind", Options = ["rbind", "rro"] },
                new OciMount { Destination = "/etc/app/config", Source = Path.Combine(host.Root, "config"), Type = "bind", Options = ["bind", "ro"] },
            ],
        };
        var (_, output) = await host.RunAsync(request with { Spec = spec });
        Assert.Equal(["setting", "sh: can't create /etc/app/config: Read-only file system", "sh: can't create /frozen/file: Read-only file system"], output.Select(l => l.Replace("stderr: ", "")).Order());
        Assert.Equal("new\n", await File.ReadAllTextAsync(Path.Combine(data.FullName, "file")));
    }

    [Fact]
    public async Task An_images_links_cannot_lead_a_mount_out_of_it()
    {
        await using var host = new RuntimeHost();
        var outside = Directory.CreateDirectory(Path.Combine(host.Root, "outside"));
        File.CreateSymbolicLink(Path.Combine(host.Root, "image/escape"), outside.FullName);
        var request = host.Shell("escape", "true");
        var spec = request.Spec with { Mounts = request.Spec.Mounts.Add(new OciMount { Destination = "/escape/made", Type = "tmpfs", Source = "tmpfs" }) };
        await Assert.ThrowsAsync<RuntimeException>(() => host.StartAsync(request with { Spec = spec }));
        Assert.Empty(outside.EnumerateFileSystemInfos());
    }

    [Fact]
    public async Task An_init_reaps_orphans_forwards_signals_and_passes_the_status_on()
    {
        await using var host = new RuntimeHost();
        await host.StartAsync(host.Shell(
            "init", "trap 'exit 9' TERM; (sleep 0.05 & ) ; sleep 0.3; cat /proc/1/comm; echo $$; ps -o stat | grep -c Z; echo ready; while :; do sleep 0.02; done") with { Init = true });
        await host.WaitForOutputAsync("init", "ready");
        await host.Runtime.SignalAsync("init", 15, CancellationToken.None);
        Assert.Equal(9, (await host.ExitAsync("init")).ExitCode);
        Assert.Equal(["2", "0", "ready"], host.Output("init")[1..]);
        var (exit, _) = await host.RunAsync(host.Shell("killed", "kill -9 $$") with { Init = true });
        Assert.Equal(137, exit.ExitCode);
    }

    [Fact]
    public async Task A_log_is_rotated_and_long_lines_are_cut_as_Docker_does()
    {
        await using var host = new RuntimeHost();
        var request = host.Shell("log", "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done");
        await host.RunAsync(request with { Log = request.Log with { MaxSizeBytes = 4000, MaxFiles = 3 } });
        Assert.True(File.Exists(host.LogPath("log") + ".2"));
        Assert.False(File.Exists(host.LogPath("log") + ".3"));
        Assert.EndsWith("line 199", host.Output("log")[^1]);
        var (_, output) = await host.RunAsync(host.Shell("long", "busybox head -c 40000 /dev/zero | busybox tr '\\0' x; echo; echo end"));
        Assert.Equal([16384, 16384, 7232, 3], output.Select(l => l.Length));
    }

    [Fact]
    public async Task Rlimits_and_oom_score_are_lowered_to_what_is_allowed()
    {
        await using var host = new RuntimeHost();
        var request = host.Shell("limits", "ulimit -n; cat /proc/self/oom_score_adj");
        var process = request.Spec.Process with { OomScoreAdj = -500, Rlimits = [new OciRlimit { Type = "RLIMIT_NOFILE", Soft = 1 << 20, Hard = 1 << 20 }] };
        var (exit, output) = await host.RunAsync(request with { Spec = request.Spec with { Process = process } });
        Assert.Equal(0, exit.ExitCode);
        Assert.InRange(int.Parse(output[0], CultureInfo.InvariantCulture), 1024, 1 << 20);
    }

    [Fact]
    public async Task Two_hundred_launches_under_a_busy_collector_all_end_and_leave_nothing()
    {
        var host = new RuntimeHost();
        var stop = false;
        var garbage = new Thread(() =>
        {
            var kept = new List<byte[]>();
            while (!Volatile.Read(ref stop))
            {
                kept.Add(new byte[4000]);
                if (kept.Count > 2000)
                    kept.Clear();
            }
        })
        { IsBackground = true };
        garbage.Start();
        await using (host)
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (n, _) =>
            {
                var request = host.Shell($"many{n}", $"exit {n % 100}");
                await host.Runtime.StartAsync(request, CancellationToken.None);
                Assert.Equal(n % 100, (await host.ExitAsync(request.Id)).ExitCode);
                await host.Runtime.DeleteAsync(request.Id, CancellationToken.None);
            });
            Volatile.Write(ref stop, true);
            garbage.Join();
            Assert.Empty(await host.Runtime.ListAsync(CancellationToken.None));
            Assert.All(host.CgroupDirectories(), d => Assert.Empty(Directory.EnumerateDirectories(d)));
            Assert.DoesNotContain(host.Instance, await File.ReadAllTextAsync("/proc/self/mountinfo"));
        }
        Assert.Empty(host.CgroupDirectories());
    }

    private static LaunchRequest With(LaunchRequest request, OciResources resources) =>
        request with { Spec = request.Spec with { Linux = request.Spec.Linux with { Resources = resources } } };
}
