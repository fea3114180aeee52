using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cli;

/// <summary>Jobs on the real kernel, made and waited for by the stock client and by ours.</summary>
public sealed class JobTests : IAsyncLifetime
{
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        StockClient.Require();
        _host = await CliHost.StartAsync();
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task The_stock_client_waits_for_a_job_that_completes_one_by_one_without_a_failure()
    {
        (await _host.DockerAsync("service", "create", "--name", "count", "--mode", "replicated-job", "--replicas", "6", "--max-concurrent", "2",
            "busybox", "sh", "-c", "echo done")).Succeeded();
        Assert.Equal("0/2 (6/6 completed)\n", (await _host.DockerAsync("service", "ls", "--format", "{{.Replicas}}")).Output);
        Assert.Equal("0/2 (6/6 completed)\n", (await _host.OrchAsync("service", "ls", "--format", "{{.Replicas}}")).Output);
        Assert.Equal(
            string.Concat(Enumerable.Range(1, 6).Select(i => $"count.{i} Complete\n")),
            (await _host.OrchAsync("service", "ps", "--format", "{{.Name}} {{.DesiredState}}", "count")).Output);
        Assert.Equal(6, (await _host.OrchAsync("service", "logs", "--raw", "count")).Succeeded().Output.Split('\n').Count(l => l == "done"));

        (await _host.DockerAsync("service", "scale", "count=8")).Succeeded();
        Assert.Equal("0/2 (8/8 completed)\n", (await _host.OrchAsync("service", "ls", "--format", "{{.Replicas}}")).Output);
        (await _host.OrchAsync("service", "update", "--force", "count")).Succeeded();
        await Shell.EventuallyAsync(
            "the former run is forgotten", () => _host.OrchAsync("service", "ps", "-q", "count"), r => r.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length == 8);
    }

    [Fact]
    public async Task A_job_that_fails_says_why_and_a_stack_waits_for_one()
    {
        var failed = await _host.OrchAsync(
            "service", "create", "--name", "bad", "--mode", "global-job", "--restart-condition", "none", "busybox", "sh", "-c", "exit 7");
        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("task: non-zero exit (7)", failed.Error, StringComparison.Ordinal);

        var stack = await CliHost.WriteAsync(_host, "stack.yml", """
            services:
              migrate:
                image: busybox:latest
                command: sh -c 'sleep 0.2'
                deploy: {mode: replicated-job, replicas: 2}
              web:
                image: busybox:latest
                init: true
                command: sleep 1000
                depends_on: {migrate: {condition: service_completed_successfully}}
                networks: [machine]
            networks:
              machine: {external: true, name: host}
            """);
        (await _host.OrchAsync("stack", "deploy", "-c", stack, "app")).Succeeded();
        Assert.Equal("app_migrate 0/2 (2/2 completed)\napp_web 1/1\n", (await _host.OrchAsync("stack", "services", "--format", "{{.Name}} {{.Replicas}}", "app")).Output);
        var pid = Assert.Single(await _host.TaskPidsAsync("app_web"));
        Assert.Equal(
            (await _host.InsideAsync("readlink", "/proc/self/ns/net")).Output, (await Shell.RunAsync("readlink", [$"/proc/{pid.Value}/ns/net"])).Output);
    }

    [Fact]
    public async Task The_stock_client_puts_a_service_on_its_hosts_network()
    {
        (await _host.DockerAsync("service", "create", "--name", "agent", "--network", "host", "--init", "busybox", "sleep", "1000")).Succeeded();
        Assert.Single(await _host.TaskPidsAsync("agent"));
        var refused = await _host.DockerAsync("service", "create", "-d", "--network", "host", "-p", "80:80", "busybox", "true");
        Assert.Contains("a service on the network host publishes no ports", refused.Error, StringComparison.Ordinal);
    }
}
