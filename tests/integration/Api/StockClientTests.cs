using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Api;

/// <summary>The stock docker client against a real daemon with real containers.</summary>
public sealed class StockClientTests
{
    private static void RequireDocker()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        Assert.SkipUnless(File.Exists("/bin/busybox"), "needs /bin/busybox (package: busybox-static)");
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(d => File.Exists(Path.Combine(d, "docker"))), "needs the docker client on PATH");
    }

    private static async Task<string> OkAsync(DaemonProcess daemon, params string[] arguments)
    {
        var (code, output, error) = await daemon.DockerAsync(arguments);
        Assert.True(code == 0, $"docker {string.Join(' ', arguments)}: {error}\n{daemon.Log}");
        return output;
    }

    [Fact]
    public async Task A_service_lives_its_whole_life_under_the_stock_client()
    {
        RequireDocker();
        await using var daemon = await DaemonProcess.StartAsync();
        Assert.Contains("orch", await OkAsync(daemon, "version"), StringComparison.Ordinal);
        Assert.Contains("Swarm: inactive", await OkAsync(daemon, "info"), StringComparison.Ordinal);
        var (refused, _, reason) = await daemon.DockerAsync("service", "ls");
        Assert.NotEqual(0, refused);
        Assert.Contains("not a swarm manager", reason, StringComparison.Ordinal);

        await daemon.ImportBusyboxAsync("apitest:1");
        Assert.Contains("apitest", await OkAsync(daemon, "images"), StringComparison.Ordinal);
        await OkAsync(daemon, "swarm", "init");
        Assert.Contains("Ready", await OkAsync(daemon, "node", "ls"), StringComparison.Ordinal);
        await OkAsync(daemon, "service", "create", "-d", "--name", "web", "--replicas", "2", "--stop-grace-period", "0s", "apitest:1", "sh", "-c", "echo started; exec sleep 1000");
        await daemon.UntilAsync("two replicas", async () => (await OkAsync(daemon, "service", "ls")).Contains("2/2", StringComparison.Ordinal));
        await OkAsync(daemon, "service", "scale", "-d", "web=3");
        await daemon.UntilAsync("three replicas", async () => (await OkAsync(daemon, "service", "ls")).Contains("3/3", StringComparison.Ordinal));
        Assert.Equal(3, (await OkAsync(daemon, "service", "ps", "-q", "web")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        await daemon.UntilAsync("every task's line", async () => (await OkAsync(daemon, "service", "logs", "web")).Split("started").Length == 4);
        Assert.Contains("\"Name\": \"web\"", await OkAsync(daemon, "service", "inspect", "web"), StringComparison.Ordinal);
        Assert.Contains("service create", await OkAsync(daemon, "events", "--since", "1h", "--until", Shell.Now), StringComparison.Ordinal);
        await OkAsync(daemon, "service", "rm", "web");
        await daemon.UntilAsync("no container", async () => (await OkAsync(daemon, "ps", "-aq")).Length == 0);
        await OkAsync(daemon, "swarm", "leave", "--force");
        Assert.Contains("Swarm: inactive", await OkAsync(daemon, "info"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stack_is_deployed_listed_and_removed()
    {
        RequireDocker();
        await using var daemon = await DaemonProcess.StartAsync();
        await daemon.ImportBusyboxAsync("apitest:1");
        await OkAsync(daemon, "swarm", "init");
        var file = Path.Combine(daemon.Root, "stack.yml");
        await File.WriteAllTextAsync(file, """
            version: "3.8"
            services:
              a: { image: "apitest:1", command: ["sleep", "1000"], stop_grace_period: 0s, networks: [n] }
            networks: { n: {} }
            """);
        await OkAsync(daemon, "stack", "deploy", "--detach", "-c", file, "st");
        await daemon.UntilAsync("the task runs", async () => (await daemon.DockerAsync("stack", "ps", "st")).Out.Contains("Running ", StringComparison.Ordinal));
        Assert.Contains("st", await OkAsync(daemon, "stack", "ls"), StringComparison.Ordinal);
        Assert.Contains("st_a", await OkAsync(daemon, "stack", "services", "st"), StringComparison.Ordinal);
        Assert.Contains("st_n", await OkAsync(daemon, "network", "ls"), StringComparison.Ordinal);
        await OkAsync(daemon, "stack", "rm", "st");
        await daemon.UntilAsync("no container", async () => (await OkAsync(daemon, "ps", "-aq")).Length == 0);
        Assert.DoesNotContain("st_n", await OkAsync(daemon, "network", "ls"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_killed_daemon_finds_its_containers_and_its_state_again()
    {
        RequireDocker();
        await using var daemon = await DaemonProcess.StartAsync();
        await daemon.ImportBusyboxAsync("apitest:1");
        await OkAsync(daemon, "swarm", "init");
        await OkAsync(daemon, "service", "create", "-d", "--name", "web", "--stop-grace-period", "0s", "apitest:1", "sleep", "1000");
        await daemon.UntilAsync("the replica", async () => (await OkAsync(daemon, "service", "ls")).Contains("1/1", StringComparison.Ordinal));
        var container = await OkAsync(daemon, "ps", "-q");
        var pid = await OkAsync(daemon, "inspect", "-f", "{{.State.Pid}}", container.Trim());
        await daemon.KillAsync();
        Assert.True(Directory.Exists($"/proc/{pid.Trim()}"), "the container ended with the daemon");
        await daemon.RunAsync();
        Assert.Equal(container, await OkAsync(daemon, "ps", "-q"));
        Assert.Contains("1/1", await OkAsync(daemon, "service", "ls"), StringComparison.Ordinal);
        Assert.Equal(0, await daemon.StopAsync());
        Assert.False(File.Exists(daemon.SocketPath));
        Assert.True(Directory.Exists($"/proc/{pid.Trim()}"), "the container ended with the daemon");
    }
}
