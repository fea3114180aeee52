using System.Globalization;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Stacks;

/// <summary>A whole host through its command line: what a person sees, on the real kernel.</summary>
public sealed class OneHostTests : IAsyncLifetime
{
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await OrchHost.StartAsync();
        (await _host.OrchAsync("swarm", "init")).Succeeded();
        var tar = Path.Combine(_host.Root, "busybox.tar");
        (await Shell.RunAsync("sh", ["-ec", $"""
            mkdir -p {_host.Root}/rootfs/bin {_host.Root}/rootfs/tmp {_host.Root}/rootfs/etc && cp /bin/busybox {_host.Root}/rootfs/bin/
            for a in $(/bin/busybox --list); do [ "$a" = busybox ] || ln -sf busybox {_host.Root}/rootfs/bin/"$a"; done
            tar -C {_host.Root}/rootfs -cf {tar} .
            """])).Succeeded();
        (await _host.OrchAsync("image", "import", tar, "busybox:latest")).Succeeded();
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task A_killed_daemon_fails_no_request_and_finds_the_same_containers()
    {
        await DeployAsync("hello", Web(replicas: 3, port: 8080) + """

              count:
                image: busybox:latest
                init: true
                command: ["sh", "-c", "i=0; while :; do echo $$i; i=$$((i+1)); sleep 0.02; done"]
            """);
        var before = await _host.TaskPidsAsync("hello_web");
        Assert.Equal(3, before.Count);

        using var stop = new CancellationTokenSource();
        var load = RequestLoop.RunAsync($"http://{_host.Address}:8080/", stop.Token);
        await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        await _host.KillDaemonAsync();
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);
        await _host.StartDaemonAsync();
        await Shell.EventuallyAsync("tasks after the restart", () => _host.TaskPidsAsync("hello_web"), pids => pids.Count == 3);
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        await stop.CancelAsync();
        var (answered, failed) = await load;

        Assert.Empty(failed);
        Assert.True(answered > 50, $"only {answered} requests were made");
        Assert.Equal(before, await _host.TaskPidsAsync("hello_web"));
        var written = (await _host.OrchAsync("service", "logs", "--raw", "hello_count")).Succeeded().Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => int.Parse(line, CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(Enumerable.Range(0, written.Length), written);
        Assert.True(written.Length > 100, $"only {written.Length} lines were logged");
    }

    [Fact]
    public async Task Scaling_serves_from_every_replica_and_down_again_without_a_failed_request()
    {
        await DeployAsync("hello", Web(replicas: 2, port: 8081));
        using var stop = new CancellationTokenSource();
        var load = RequestLoop.RunAsync($"http://{_host.Address}:8081/", stop.Token);
        (await _host.OrchAsync("service", "scale", "hello_web=5")).Succeeded();
        await Shell.EventuallyAsync("five different answers", async () =>
        {
            var names = new SortedSet<string>(StringComparer.Ordinal);
            for (var i = 0; i < 40; i++)
                names.Add((await _host.FetchInsideAsync("http://127.0.0.1:8081/")).Output.Trim());
            return names;
        }, names => names.Count == 5);
        (await _host.OrchAsync("service", "scale", "hello_web=1")).Succeeded();
        await Shell.EventuallyAsync("one task left", () => _host.TaskPidsAsync("hello_web"), pids => pids.Count == 1);
        await stop.CancelAsync();
        var (_, failed) = await load;
        Assert.Empty(failed);
    }

    [Fact]
    public async Task A_memory_hog_is_killed_at_its_limit_said_to_be_and_restarted()
    {
        await DeployAsync("hog", """
            services:
              hog:
                image: busybox:latest
                command: ["sh", "-c", "sleep 1; exec tail /dev/zero"]
                deploy: { resources: { limits: { memory: 32M } }, restart_policy: { condition: any, delay: 200ms } }
            """, detach: true);
        var ps = await Shell.EventuallyAsync("an OOM kill and a next attempt", () => _host.OrchAsync("service", "ps", "--no-trunc", "hog_hog"),
            r => r.Output.Contains("out of memory", StringComparison.Ordinal) && r.Output.Split('\n').Count(l => l.Contains("hog_hog.1", StringComparison.Ordinal)) >= 2);
        Assert.Contains("137", ps.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fork_bomb_stops_at_its_pids_limit()
    {
        await DeployAsync("bomb", """
            services:
              bomb:
                image: busybox:latest
                command: ["sh", "-c", "i=0; while [ $$i -lt 100 ]; do sleep 1000 & i=$$((i+1)); done; wait"]
                deploy: { resources: { limits: { pids: 20 } }, restart_policy: { condition: none } }
            """, detach: true);
        var logs = await Shell.EventuallyAsync("the kernel's refusal in the log", () => _host.OrchAsync("service", "logs", "bomb_bomb"),
            r => (r.Output + r.Error).Contains("can't fork", StringComparison.Ordinal));
        Assert.NotEmpty(logs.Output + logs.Error);
    }

    [Fact]
    public async Task A_cpu_burner_is_held_to_its_quota()
    {
        await DeployAsync("burn", """
            services:
              burn:
                image: busybox:latest
                command: ["sh", "-c", "while :; do :; done"]
                deploy: { resources: { limits: { cpus: "0.2" } } }
            """);
        var pid = (await _host.TaskPidsAsync("burn_burn")).Single().Value;
        var started = TimeProvider.System.GetTimestamp();
        var ticks = await TicksAsync(pid);
        await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System);
        var share = (await TicksAsync(pid) - ticks) / 100.0 / TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        // Never above the quota but for one period at either end; how far below depends on who else uses the machine.
        Assert.InRange(share, 0.01, 0.26);
    }

    [Fact]
    public async Task Services_find_each_other_by_name()
    {
        await DeployAsync("pair", """
            services:
              back:
                image: busybox:latest
                command: ["sh", "-c", "mkdir -p /www && echo from-back >/www/index.html && exec httpd -f -p 8000 -h /www"]
              front:
                image: busybox:latest
                command: ["sh", "-c", "while :; do wget -q -O - http://back:8000/ && nslookup tasks.back; sleep 1; done"]
            """);
        await Shell.EventuallyAsync("an answer by name", () => _host.OrchAsync("service", "logs", "pair_front"), r => r.Output.Contains("from-back", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Five_mistakes_are_five_problems_and_nothing_is_created()
    {
        var ran = await StackAsync("bad", """
            services:
              web:
                imagee: busybox
                ports: ["99999:80"]
                deploy: { replicas: many, mode: sometimes }
              db:
                image: busybox
                cap_add: 7
            """);
        Assert.Equal(1, ran.ExitCode);
        Assert.True(ran.Error.Split('\n').Count(l => l.Contains("stack.yml:", StringComparison.Ordinal)) >= 5, ran.Error);
        Assert.Equal(0, (await _host.GetAsync("/services")).GetArrayLength());
    }

    [Fact]
    public async Task A_removed_stack_leaves_no_container_and_no_network()
    {
        await DeployAsync("gone", Web(replicas: 2, port: 8082));
        (await _host.OrchAsync("stack", "rm", "gone")).Succeeded();
        await Shell.EventuallyAsync("no container", async () => (await _host.GetAsync("/containers/json?all=1")).GetArrayLength(), n => n == 0);
        var networks = await _host.OrchAsync("network", "ls", "--format", "{{.Name}}");
        Assert.DoesNotContain("gone_default", networks.Output, StringComparison.Ordinal);
    }

    private static string Web(int replicas, int port) => string.Create(CultureInfo.InvariantCulture, $$"""
        services:
          web:
            image: busybox:latest
            init: true
            command: ["sh", "-c", "mkdir -p /www && hostname >/www/index.html && exec httpd -f -p 80 -h /www"]
            ports: ["{{port}}:80"]
            stop_grace_period: 2s
            deploy: { replicas: {{replicas}} }
        """);

    private async Task DeployAsync(string name, string text, bool detach = false) => (await StackAsync(name, text, detach)).Succeeded();

    private async Task<Ran> StackAsync(string name, string text, bool detach = false)
    {
        var file = Path.Combine(_host.Root, "stack.yml");
        await File.WriteAllTextAsync(file, text);
        return await _host.OrchAsync(["stack", "deploy", "-c", file, .. detach ? new[] { "--detach" } : [], name]);
    }

    private static async Task<long> TicksAsync(int pid)
    {
        var stat = await File.ReadAllTextAsync($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
    }
}
