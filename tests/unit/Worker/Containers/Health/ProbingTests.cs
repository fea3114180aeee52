using System.Text;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;

namespace Orchestrator.Tests.Unit.Worker.Containers.Health;

/// <summary>The probe loop of a container over a runtime whose programs are the test.</summary>
public sealed class ProbingTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(2);

    [Fact]
    public async Task A_probe_that_succeeds_makes_the_container_healthy_and_one_that_fails_unhealthy()
    {
        await using var host = await new FakeHost().StartAsync();
        var code = 0;
        host.Runtime.OnExec = (_, launch) => Ends(new FakeExec(launch), Volatile.Read(ref code), $"said by {string.Join(' ', launch.Process.Args)}\n");
        var seen = new List<string>();
        using var ends = new CancellationTokenSource();
        var watching = WatchAsync(host, seen, ends.Token);
        var id = await RunAsync(host, new HealthConfig { Test = ["CMD", "probe", "me"], Interval = Soon, Retries = 2 });
        Assert.Contains("(health: starting)", host.Containers.List(new ContainerQuery { All = true }).Single().Status, StringComparison.Ordinal);
        await FakeHost.UntilAsync(() => Health(host, id).Status == "healthy", "it is healthy");
        Assert.Contains("(healthy)", host.Containers.List(Filtered("healthy")).Single().Status, StringComparison.Ordinal);
        Volatile.Write(ref code, 1);
        await FakeHost.UntilAsync(() => Health(host, id).Status == "unhealthy", "it is unhealthy");
        var health = host.Containers.Inspect(id).State.Health!;
        Assert.Equal("said by probe me\n", health.Log[^1].Output);
        Assert.InRange(health.Log.Count, 2, 5);
        Assert.Empty(host.Containers.List(Filtered("healthy")));
        await FakeHost.UntilAsync(() => { lock (seen) return seen.Count >= 2; }, "both events were told");
        await ends.CancelAsync();
        await watching;
        Assert.Equal(["health_status: healthy", "health_status: unhealthy"], seen.Take(2));
    }

    [Fact]
    public async Task A_probe_that_hangs_is_killed_and_has_failed()
    {
        await using var host = await new FakeHost().StartAsync();
        var first = new TaskCompletionSource<FakeExec>();
        host.Runtime.OnExec = (_, launch) =>
        {
            var exec = new FakeExec(launch);
            exec.Program.Output.Writer.AsStream().Write("still thinking"u8);
            first.TrySetResult(exec);
            return exec;
        };
        var id = await RunAsync(host, new HealthConfig { Test = ["CMD", "hang"], Interval = Soon, Timeout = TimeSpan.FromMilliseconds(50), Retries = 1 });
        await FakeHost.UntilAsync(() => Health(host, id).Status == "unhealthy", "it is unhealthy");
        Assert.Contains(9, (await first.Task).Signals);
        var probe = Health(host, id).Log[0];
        Assert.Equal((-1, "Health check exceeded timeout (50ms): still thinking"), (probe.ExitCode, probe.Output));
    }

    [Fact]
    public async Task A_probe_whose_program_is_missing_has_failed_with_the_reason()
    {
        await using var host = await new FakeHost().StartAsync();
        host.Runtime.OnExec = (_, _) => throw new Orchestrator.Worker.Runtime.RuntimeException("exec: \"curl\": executable file not found in $PATH") { ExitCode = 127 };
        var id = await RunAsync(host, new HealthConfig { Test = ["CMD", "curl"], Interval = Soon, Retries = 1 });
        await FakeHost.UntilAsync(() => Health(host, id).Status == "unhealthy", "it is unhealthy");
        Assert.Contains("executable file not found", Health(host, id).Log[0].Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stopped_container_is_not_probed_and_a_started_one_begins_anew()
    {
        await using var host = await new FakeHost().StartAsync();
        var probes = 0;
        host.Runtime.OnExec = (_, launch) =>
        {
            Interlocked.Increment(ref probes);
            return Ends(new FakeExec(launch), 0, "");
        };
        var id = await RunAsync(host, new HealthConfig { Test = ["CMD", "probe"], Interval = TimeSpan.FromMilliseconds(20) });
        await FakeHost.UntilAsync(() => Health(host, id).Status == "healthy", "it is healthy");
        await host.Containers.StopAsync(id, TimeSpan.Zero, null, CancellationToken.None);
        var before = Volatile.Read(ref probes);
        await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        Assert.Equal(before, Volatile.Read(ref probes));
        host.Runtime.OnExec = (_, launch) => new FakeExec(launch);
        await host.Containers.StartAsync(id, CancellationToken.None);
        Assert.Equal("starting", Health(host, id).Status);
    }

    [Fact]
    public async Task A_new_daemon_goes_on_with_what_the_old_one_knew()
    {
        var host = await new FakeHost().StartAsync();
        host.Runtime.OnExec = (_, launch) => Ends(new FakeExec(launch), 0, "");
        var id = await RunAsync(host, new HealthConfig { Test = ["CMD", "probe"], Interval = Soon, Retries = 1 });
        await FakeHost.UntilAsync(() => Health(host, id).Status == "healthy", "it is healthy");
        await host.StopDaemonAsync();
        await using var again = new FakeHost(host.Root, host.Runtime);
        again.Runtime.OnExec = (_, launch) => Ends(new FakeExec(launch), 1, "");
        await again.Containers.RecoverAsync(CancellationToken.None);
        Assert.Equal("healthy", Health(again, id).Status);
        await again.Containers.ResumeAsync();
        await FakeHost.UntilAsync(() => Health(again, id).Status == "unhealthy", "it is probed again");
    }

    private static ContainerHealth Health(FakeHost host, string id) => host.Containers.TryFind(id)!.State.Health!;

    private static ContainerQuery Filtered(string health) =>
        new() { All = true, Filters = new Dictionary<string, IReadOnlyList<string>> { ["health"] = [health] } };

    private static FakeExec Ends(FakeExec exec, int code, string said)
    {
        exec.Program.Output.Writer.AsStream().Write(Encoding.UTF8.GetBytes(said));
        exec.End(code);
        return exec;
    }

    private static async Task<string> RunAsync(FakeHost host, HealthConfig health)
    {
        var made = await host.Containers.CreateAsync(new ContainerCreateRequest { Image = "app:1", Healthcheck = health }, "app", CancellationToken.None);
        await host.Containers.StartAsync(made.Id, CancellationToken.None);
        return made.Id;
    }

    private static async Task WatchAsync(FakeHost host, List<string> seen, CancellationToken stop)
    {
        try
        {
            await foreach (var happened in host.Events.Watch(null, stop))
            {
                if (happened.Action.StartsWith("health_status", StringComparison.Ordinal))
                {
                    lock (seen)
                        seen.Add(happened.Action);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // That is how it ends.
        }
    }
}
