using System.Globalization;
using Orchestrator.Shared.Model;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Tests.Integration.Hosts;

namespace Orchestrator.Tests.Integration.Recovery;

/// <summary>Shims are killed and replaced; containers do not notice.</summary>
[Collection("hosts")]
public sealed class ShimDeathTests
{
    [Fact]
    public async Task Containers_of_a_killed_shim_run_on_and_the_next_one_knows_how_they_end()
    {
        await using var world = await HostWorld.StartAsync();
        var plain = await world.RunAsync(HostWorld.Script("trap 'echo bye; exit 7' TERM; printf half; while [ ! -e /go ]; do sleep 0.05; done; echo ' whole'; while :; do sleep 0.05; done"));
        var web = await world.RunAsync(HostWorld.Script(
            "echo page > /tmp/index.html; exec httpd -f -p 80 -h /tmp",
            new HostConfig
            {
                RestartPolicy = new() { Name = "always" },
                PortBindings = new Dictionary<string, IReadOnlyList<PortBinding>> { ["80/tcp"] = [new() { HostPort = "18080" }] },
            }));
        Assert.Equal("page\n", await world.FetchAsync(18080));
        var before = new[] { plain, web }.Select(id => world.Containers.Inspect(id).State).ToList();
        var shim = await world.ShimPidAsync();

        await HostWorld.KillAsync(shim);
        await File.WriteAllTextAsync($"/proc/{before[0].Pid}/root/go", "");
        await world.UntilOutputAsync(plain, "half whole\n");

        Assert.NotEqual(shim, await world.ShimPidAsync());
        var after = new[] { plain, web }.Select(id => world.Containers.Inspect(id)).ToList();
        Assert.Equal(before.Select(s => (s.Pid, s.StartedAt)), after.Select(c => (c.State.Pid, c.State.StartedAt)));
        Assert.All(after, c => Assert.Equal((true, 0), (c.State.Running, c.RestartCount)));
        Assert.Equal("page\n", await world.FetchAsync(18080));
        Assert.True(await world.Containers.StopAsync(plain, TimeSpan.FromSeconds(20), null, HostWorld.Soon));
        var ended = world.Containers.Inspect(plain).State;
        Assert.Equal(("exited", 7, ""), (ended.Status, ended.ExitCode, ended.Error));
        Assert.Equal("half whole\nbye\n", await world.OutputAsync(plain));
        // The policy holds for one that was taken over.
        await HostWorld.KillAsync(before[1].Pid);
        await world.UntilAsync(web, "another start", c => c.State.Running && c.State.Pid != before[1].Pid);
        Assert.Equal("page\n", await world.FetchAsync(18080));
    }

    [Fact]
    public async Task What_ends_while_no_shim_is_there_is_known_by_its_code_and_its_last_words()
    {
        await using var world = await HostWorld.StartAsync();
        var ends = await world.RunAsync(HostWorld.Script("trap 'echo last; exit 9' TERM; echo first; while :; do sleep 0.05; done"));
        var killed = await world.RunAsync(HostWorld.Script("exec sleep 1000"));
        await world.UntilOutputAsync(ends, "first\n");
        var (ending, dying) = (world.Containers.Inspect(ends).State.Pid, world.Containers.Inspect(killed).State.Pid);
        var shim = await world.ShimPidAsync();

        // Both in one: the next shim needs longer to begin than a signal takes.
        (await Shell.RunAsync("sh", ["-c", $"kill -KILL {shim}; kill -TERM {ending}; kill -KILL {dying}"])).Succeeded();

        var end = await world.EndAsync(ends);
        Assert.Equal(("exited", 9, ""), (end.Status, end.ExitCode, end.Error));
        Assert.Equal("first\nlast\n", await world.OutputAsync(ends));
        end = await world.EndAsync(killed);
        Assert.Equal(("exited", 137, false, ""), (end.Status, end.ExitCode, end.OomKilled, end.Error));
    }

    [Fact]
    public async Task An_end_that_neither_a_shim_nor_a_daemon_saw_counts_as_a_failure_and_says_so()
    {
        await using var world = await HostWorld.StartAsync();
        var runs = await world.RunAsync(HostWorld.Script("echo one; sleep 1000 & exec sleep 1000"));
        var plain = await world.RunAsync(HostWorld.Script("exec sleep 1000"));
        var again = await world.RunAsync(HostWorld.Script("exec sleep 1000", new HostConfig { RestartPolicy = new() { Name = "on-failure" } }));
        await world.UntilOutputAsync(runs, "one\n");
        var before = new[] { runs, plain, again }.Select(id => world.Containers.Inspect(id).State.Pid).ToList();
        var shim = await world.ShimPidAsync();
        await world.StopDaemonAsync();
        await HostWorld.KillAsync(shim);
        await HostWorld.KillAsync(before[1]);
        await HostWorld.KillAsync(before[2]);
        await Shell.EventuallyAsync("processes collected", () => Task.FromResult(before.Skip(1).Any(pid => Directory.Exists($"/proc/{pid}"))), left => !left);

        await world.StartDaemonAsync();

        Assert.True(HostWorld.Lives(before[0]));
        var still = world.Containers.Inspect(runs).State;
        Assert.Equal((true, before[0]), (still.Running, still.Pid));
        var ended = await world.EndAsync(plain);
        Assert.Equal(("exited", 255), (ended.Status, ended.ExitCode));
        Assert.Contains("unknown", ended.Error, StringComparison.Ordinal);
        await world.UntilAsync(again, "another start", c => c.State.Running && c.State.Pid != before[2] && HostWorld.Lives(c.State.Pid));
    }

    [Fact]
    public async Task Want_of_memory_is_told_apart_by_a_shim_that_did_not_start_the_container()
    {
        await using var world = await HostWorld.StartAsync();
        var hog = await world.RunAsync(HostWorld.Script(
            "while [ ! -e /go ]; do sleep 0.05; done; exec dd if=/dev/zero of=/dev/null bs=64M", new HostConfig { Memory = 16 << 20, MemorySwap = 16 << 20 }));
        await HostWorld.KillAsync(await world.ShimPidAsync());
        await File.WriteAllTextAsync($"/proc/{world.Containers.Inspect(hog).State.Pid}/root/go", "");
        var ended = await world.EndAsync(hog);
        Assert.Equal((137, true), (ended.ExitCode, ended.OomKilled));
    }

    [Fact]
    public async Task Output_has_no_gap_and_nothing_twice_however_often_the_shim_is_killed()
    {
        const int kills = 6;
        await using var world = await HostWorld.StartAsync();
        // Lines of both streams, of changing lengths, written in pieces: at any moment some line is half there.
        var id = await world.RunAsync(HostWorld.Script(
            """
            line=; i=0
            while [ ! -e /go ]; do
              i=$((i+1)); printf '%s' "$i"; printf ' out%s\n' "$line"; echo "$i err$line" >&2
              line="${line}x"; [ ${#line} -gt 90 ] && line=
            done
            echo "end $i"
            """));
        var pid = world.Containers.Inspect(id).State.Pid;
        await Shell.EventuallyAsync("output", () => world.OutputAsync(id), o => o.Length > 0);
        for (var kill = 0; kill < kills; kill++)
        {
            await HostWorld.KillAsync(await world.ShimPidAsync());
            var length = (await world.OutputAsync(id)).Length;
            await Shell.EventuallyAsync("output after a kill", () => world.OutputAsync(id), o => o.Length > length + 4096);
        }
        await File.WriteAllTextAsync($"/proc/{pid}/root/go", "");
        Assert.Equal(0, (await world.EndAsync(id)).ExitCode);

        var lines = (await world.OutputAsync(id)).TrimEnd('\n').Split('\n');
        var last = int.Parse(lines[^1].Split(' ')[1], CultureInfo.InvariantCulture);
        Assert.True(last > 1000, $"{last} lines are too few to prove anything");
        var errors = (await world.OutputAsync(id, "stderr")).TrimEnd('\n').Split('\n');
        AssertCounts(lines[..^1], last, "out");
        AssertCounts(errors, last, "err");
    }

    private static void AssertCounts(string[] lines, int last, string word)
    {
        for (var i = 0; i < Math.Min(lines.Length, last); i++)
        {
            if (!lines[i].StartsWith($"{i + 1} {word}", StringComparison.Ordinal))
                Assert.Fail($"line {i + 1} of {word}: '{lines[i]}' after '{(i > 0 ? lines[i - 1] : "")}'");
        }
        Assert.Equal(last, lines.Length);
    }
}
