using System.Globalization;
using System.Text.Json;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Stacks;

/// <summary>Health checks, start order and updates of a stack on the real kernel.</summary>
public sealed class HealthTests : IAsyncLifetime
{
    private OrchHost _host = null!;

    private string Gate => Path.Combine(_host.Root, "gate");

    public async ValueTask InitializeAsync()
    {
        _host = await OrchHost.StartAsync();
        (await _host.OrchAsync("swarm", "init")).Succeeded();
        var tar = Path.Combine(_host.Root, "busybox.tar");
        await File.WriteAllBytesAsync(tar, TestImages.Busybox());
        (await _host.OrchAsync("image", "load", "-i", tar)).Succeeded();
        Directory.CreateDirectory(Gate);
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Names_and_ports_lead_to_a_task_when_it_is_healthy_and_not_before()
    {
        await DeployAsync("app", $$"""
            services:
              web:
                image: busybox:latest
                init: true
                command: ["sh", "-c", "mkdir /www && echo hello >/www/index.html && exec httpd -f -p 80 -h /www"]
                ports: ["8090:80"]
                volumes: ["{{Gate}}:/gate:ro"]
                healthcheck: { test: "cat /gate/ok || { echo the gate is shut; exit 1; }", interval: 200ms, retries: 100000 }
            """, detach: true);
        var ps = await Shell.EventuallyAsync("what the probe printed", () => _host.OrchAsync("service", "ps", "--no-trunc", "app_web"),
            r => r.Output.Contains("the gate is shut", StringComparison.Ordinal));
        Assert.Contains("Starting", ps.Output, StringComparison.Ordinal);
        Assert.Contains("(health: starting)", (await _host.OrchAsync("ps")).Succeeded().Output, StringComparison.Ordinal);
        Assert.NotEqual(0, (await _host.FetchInsideAsync("http://127.0.0.1:8090/")).ExitCode);
        await File.WriteAllTextAsync(Path.Combine(Gate, "ok"), "fine\n");
        await Shell.EventuallyAsync("an answer", () => _host.FetchInsideAsync("http://127.0.0.1:8090/"), r => r.Output == "hello\n");
        var id = (await _host.OrchAsync("ps", "-q", "--filter", "health=healthy")).Succeeded().Output.Trim();
        Assert.NotEmpty(id);
        var health = (await _host.GetAsync($"/containers/{id}/json")).GetProperty("State").GetProperty("Health");
        Assert.Equal("healthy", health.GetProperty("Status").GetString());
        Assert.Equal("fine\n", health.GetProperty("Log").EnumerateArray().Last().GetProperty("Output").GetString());
        Assert.Contains("(healthy)", (await _host.DockerAsync("ps")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal("healthy\n", (await _host.DockerAsync("inspect", "--format", "{{.State.Health.Status}}", id)).Succeeded().Output);
    }

    [Fact]
    public async Task A_stack_whose_health_never_comes_says_which_probe_printed_what()
    {
        var ran = await StackAsync("sick", """
            services:
              db:
                image: busybox:latest
                command: ["sleep", "1000"]
                init: true
                healthcheck: { test: ["CMD", "sh", "-c", "echo no database here; exit 3"], interval: 100ms, retries: 2 }
                deploy: { restart_policy: { condition: none } }
            """);
        Assert.Equal((1, "sick_db.1: unhealthy container: no database here\n"), (ran.ExitCode, ran.Error));
        Assert.Contains("unhealthy container: no database here", (await _host.OrchAsync("stack", "ps", "--no-trunc", "sick")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_probe_that_takes_too_long_is_killed()
    {
        await DeployAsync("slow", """
            services:
              one:
                image: busybox:latest
                command: ["sleep", "1000"]
                init: true
                healthcheck: { test: ["CMD", "sleep", "98761"], interval: 100ms, timeout: 300ms, retries: 2 }
                deploy: { restart_policy: { condition: none } }
            """, detach: true);
        var ps = await Shell.EventuallyAsync("the end", () => _host.OrchAsync("service", "ps", "--no-trunc", "slow_one"), r => r.Output.Contains("Failed", StringComparison.Ordinal));
        Assert.Contains("unhealthy container: Health check exceeded timeout (300ms)", ps.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetDirectories("/proc"), p => CommandLine(p) == "sleep\098761\0");
    }

    [Fact]
    public async Task A_stack_starts_in_the_order_of_its_health_and_says_what_it_waits_for()
    {
        await DeployAsync("shop", $$"""
            services:
              web:
                image: busybox:latest
                command: ["sleep", "1000"]
                init: true
                depends_on:
                  db: { condition: service_healthy }
                  migrate: { condition: service_completed_successfully }
              migrate:
                image: busybox:latest
                command: ["sh", "-c", "echo migrated >/gate/migrated"]
                volumes: ["{{Gate}}:/gate"]
                depends_on: { db: { condition: service_healthy } }
                deploy: { restart_policy: { condition: on-failure } }
              db:
                image: busybox:latest
                command: ["sleep", "1000"]
                init: true
                volumes: ["{{Gate}}:/gate"]
                healthcheck: { test: "[ -f /gate/open ] || { echo not yet; exit 1; }", interval: 200ms, retries: 100000 }
            """, detach: true);
        await Shell.EventuallyAsync("the reason to wait", () => _host.OrchAsync("stack", "ps", "--no-trunc", "shop"),
            r => r.Output.Split("waits for db to be healthy (db.1 is starting: health check: not yet)").Length == 3);
        Assert.Empty(await _host.TaskPidsAsync("shop_web"));
        Assert.False(File.Exists(Path.Combine(Gate, "migrated")));
        await File.WriteAllTextAsync(Path.Combine(Gate, "open"), "");
        await Shell.EventuallyAsync("the web running", () => _host.TaskPidsAsync("shop_web"), pids => pids.Count == 1);
        Assert.True(File.Exists(Path.Combine(Gate, "migrated")));

        // A stock client knows nothing of start order: what it posts back takes nothing away.
        (await _host.DockerAsync("service", "update", "--detach", "--label-add", "a=b", "shop_web")).Succeeded();
        var spec = (await _host.GetAsync("/services/shop_web")).GetProperty("Spec");
        Assert.Equal("b", spec.GetProperty("Labels").GetProperty("a").GetString());
        Assert.Equal(2, spec.GetProperty("Orch").GetProperty("DependsOn").GetArrayLength());
    }

    [Fact]
    public async Task A_broken_update_rolls_itself_back_and_no_request_fails()
    {
        static string Web(string check) => $$"""
            services:
              web:
                image: busybox:latest
                init: true
                command: ["sh", "-c", "mkdir /www && echo hello >/www/index.html && exec httpd -f -p 80 -h /www"]
                ports: ["8091:80"]
                healthcheck: { test: "{{check}}", interval: 100ms, retries: 2 }
                deploy:
                  replicas: 3
                  update_config: { parallelism: 1, failure_action: rollback, monitor: 500ms }
                  rollback_config: { parallelism: 0, monitor: 500ms }
            """;
        await DeployAsync("roll", Web("wget -q -O /dev/null http://127.0.0.1/"));
        using var stop = new CancellationTokenSource();
        var load = RequestLoop.RunAsync($"http://{_host.Address}:8091/", stop.Token);
        var ran = await StackAsync("roll", Web("echo broken on purpose; exit 1"));
        var after = (await _host.GetAsync("/services/roll_web"));
        await DeployAsync("roll", Web("wget -q -O /dev/null http://localhost/")); // a good one goes through
        await stop.CancelAsync();
        var (answered, failed) = await load;
        Assert.Equal((1, "roll_web: the update failed and was rolled back: unhealthy container: broken on purpose\n"), (ran.ExitCode, ran.Error));
        Assert.Equal("rollback_completed", after.GetProperty("UpdateStatus").GetProperty("State").GetString());
        Assert.Contains("127.0.0.1", after.GetProperty("Spec").GetProperty("TaskTemplate").GetProperty("ContainerSpec").GetProperty("Healthcheck").GetProperty("Test")[1].GetString(), StringComparison.Ordinal);
        Assert.Empty(failed);
        Assert.True(answered > 50, $"only {answered} requests were made");
        Assert.Equal("completed", (await _host.GetAsync("/services/roll_web")).GetProperty("UpdateStatus").GetProperty("State").GetString());
    }

    [Fact]
    public async Task An_unhealthy_replica_is_replaced_and_no_request_fails()
    {
        await DeployAsync("heal", $$"""
            services:
              web:
                image: busybox:latest
                init: true
                hostname: "{{"{{"}}.Task.Slot{{"}}"}}"
                command: ["sh", "-c", "mkdir /www && hostname >/www/index.html && exec httpd -f -p 80 -h /www"]
                ports: ["8092:80"]
                volumes: ["{{Gate}}:/gate"]
                healthcheck: { test: "[ ! -f /gate/sick-$$(hostname) ] || { rm /gate/sick-$$(hostname); exit 1; }", interval: 100ms, retries: 1 }
                deploy: { replicas: 2, restart_policy: { condition: any, delay: 100ms } }
            """);
        var before = await _host.TaskPidsAsync("heal_web");
        using var stop = new CancellationTokenSource();
        var load = RequestLoop.RunAsync($"http://{_host.Address}:8092/", stop.Token);
        await File.WriteAllTextAsync(Path.Combine(Gate, "sick-1"), "");
        await Shell.EventuallyAsync("another task in its place", () => _host.TaskPidsAsync("heal_web"), pids => pids.Count == 2 && pids.Keys.Except(before.Keys).Count() == 1);
        await stop.CancelAsync();
        var (_, failed) = await load;
        Assert.Empty(failed);
        Assert.Contains("unhealthy container: ", (await _host.OrchAsync("service", "ps", "--no-trunc", "heal_web")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_stock_client_updates_and_rolls_back()
    {
        (await _host.DockerAsync(
            "service", "create", "--name", "web", "--replicas", "2", "--health-cmd", "true", "--health-interval", "100ms", "--update-monitor", "200ms", "--rollback-monitor", "200ms",
            "busybox:latest", "sleep", "1000")).Succeeded();
        (await _host.DockerAsync("service", "update", "--env-add", "A=1", "--stop-grace-period", "1s", "web")).Succeeded();
        (await _host.DockerAsync("service", "rollback", "web")).Succeeded();
        var service = await _host.GetAsync("/services/web");
        Assert.Equal("rollback_completed", service.GetProperty("UpdateStatus").GetProperty("State").GetString());
        Assert.False(service.GetProperty("Spec").GetProperty("TaskTemplate").GetProperty("ContainerSpec").TryGetProperty("Env", out var env) && env.GetArrayLength() > 0);
        (await _host.OrchAsync("service", "update", "--env-add", "B=2", "--stop-grace-period", "1s", "web")).Succeeded();
        (await _host.OrchAsync("service", "rollback", "web")).Succeeded();
        Assert.Equal(2, (await _host.TaskPidsAsync("web")).Count);
        Assert.Equal(JsonValueKind.Object, (await _host.GetAsync("/services/web")).GetProperty("PreviousSpec").ValueKind);
    }

    [Fact]
    public async Task A_plain_containers_health_is_told_by_ps_events_and_inspect()
    {
        var since = TimeProvider.System.GetUtcNow().AddSeconds(-1).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var context = Directory.CreateDirectory(Path.Combine(_host.Root, "context")).FullName;
        await File.WriteAllTextAsync(Path.Combine(context, "Dockerfile"), """
            FROM busybox:latest
            HEALTHCHECK --interval=100ms --timeout=5s --start-period=1s --start-interval=50ms --retries=2 CMD [ ! -f /tmp/sick ] || { echo sick; exit 1; }
            CMD ["sh", "-c", "sleep 1000"]
            """);
        (await _host.OrchAsync("build", "-t", "checked", context)).Succeeded();
        var create = await Shell.RunAsync("curl", [
            "-sS", "--unix-socket", _host.Socket, "-H", "Content-Type: application/json", "-d", """{"Image":"checked","Healthcheck":{"Interval":150000000},"HostConfig":{"Init":true}}""",
            "http://orch/v1.50/containers/create?name=one"]);
        create.Succeeded();
        (await _host.DockerAsync("start", "one")).Succeeded();
        await Shell.EventuallyAsync("health", () => _host.DockerAsync("ps", "--filter", "health=healthy", "--format", "{{.Names}} {{.Status}}"), r => r.Output.StartsWith("one Up", StringComparison.Ordinal));
        var config = (await _host.GetAsync("/containers/one/json")).GetProperty("Config").GetProperty("Healthcheck");
        Assert.Equal((150_000_000, 50_000_000, 2), (config.GetProperty("Interval").GetInt64(), config.GetProperty("StartInterval").GetInt64(), config.GetProperty("Retries").GetInt32()));
        var pid = (await _host.GetAsync("/containers/one/json")).GetProperty("State").GetProperty("Pid").GetInt32();
        await File.WriteAllTextAsync($"/proc/{pid}/root/tmp/sick", "");
        await Shell.EventuallyAsync("illness", () => _host.DockerAsync("ps", "--filter", "health=unhealthy", "-q"), r => r.Output.Length > 1);
        var until = TimeProvider.System.GetUtcNow().AddSeconds(1).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var events = (await _host.OrchAsync("events", "--since", since, "--until", until, "--format", "{{.Action}}")).Succeeded().Output;
        Assert.Contains("health_status: healthy\n", events, StringComparison.Ordinal);
        Assert.Contains("health_status: unhealthy\n", events, StringComparison.Ordinal);
    }

    private async Task DeployAsync(string name, string text, bool detach = false) => (await StackAsync(name, text, detach)).Succeeded();

    private async Task<Ran> StackAsync(string name, string text, bool detach = false)
    {
        var file = Path.Combine(_host.Root, "stack.yml");
        await File.WriteAllTextAsync(file, text);
        return await _host.OrchAsync(["stack", "deploy", "-c", file, .. detach ? new[] { "--detach" } : [], name]);
    }

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
