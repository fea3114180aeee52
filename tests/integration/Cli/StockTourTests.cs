using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cli;

/// <summary>The stock client beside ours, against one daemon.</summary>
public sealed class StockTourTests : IAsyncLifetime
{
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(d => File.Exists(Path.Combine(d, "docker"))), "needs the docker client on PATH");
        _host = await CliHost.StartAsync();
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Listings_are_the_stock_clients_to_the_letter()
    {
        (await _host.OrchAsync("stack", "deploy", "-c", CliHost.Example("hello.yml"), "hello")).Succeeded();
        string[][] tours =
        [
            ["service", "ls"], ["service", "ls", "-q"], ["stack", "ls"], ["stack", "services", "hello"], ["node", "ls"], ["network", "ls"],
            ["images", "--format", "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.Size}}"], ["images", "-q"], ["network", "ls", "-q", "--no-trunc"],
            ["service", "ps", "--format", "table {{.ID}}\t{{.Name}}\t{{.Image}}\t{{.Node}}\t{{.DesiredState}}\t{{.Error}}", "hello_web"],
            ["stack", "ps", "-q", "hello"], ["service", "ps", "-q", "hello_web"], ["node", "ps", "-q"], ["ps", "--no-trunc", "--format", "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.Ports}}\t{{.Names}}"], ["ps", "-a", "-q"],
            ["service", "inspect", "--format", "{{.Spec.Name}} {{json .Endpoint.Ports}}", "hello_web"],
            ["node", "inspect", "--format", "{{.ID}} {{.Spec.Availability}}", "self"], ["image", "inspect", "--format", "{{.Id}} {{.Config.Cmd}}", "hello"],
            ["version", "--format", "{{.Server.APIVersion}}"],
        ];
        foreach (var tour in tours)
        {
            var stock = await _host.DockerAsync(tour);
            var ours = await _host.OrchAsync(tour);
            Assert.True((stock.ExitCode, stock.Output) == (ours.ExitCode, ours.Output), $"{stock}\n{ours}");
        }
    }

    [Fact]
    public async Task A_container_is_run_waited_for_stopped_and_removed_by_the_stock_client()
    {
        (await _host.DockerAsync("run", "-d", "--name", "greeter", "busybox", "echo", "hi")).Succeeded();
        Assert.Equal("0\n", (await _host.DockerAsync("wait", "greeter")).Succeeded().Output);
        Assert.Equal("hi\n", (await _host.DockerAsync("logs", "greeter")).Succeeded().Output);
        (await _host.DockerAsync("run", "-d", "--init", "--name", "sleeper", "busybox", "sleep", "1000")).Succeeded();
        Assert.Equal("running\n", (await _host.OrchAsync("inspect", "--format", "{{.State.Status}}", "sleeper")).Output);
        (await _host.DockerAsync("kill", "sleeper")).Succeeded();
        Assert.Equal("137\n", (await _host.DockerAsync("wait", "sleeper")).Succeeded().Output);
        (await _host.DockerAsync("rm", "sleeper")).Succeeded();
        Assert.Equal(1, (await _host.DockerAsync("inspect", "sleeper")).ExitCode);
    }

    [Fact]
    public async Task A_drained_node_gives_its_tasks_away_and_gets_them_back()
    {
        (await _host.OrchAsync("service", "create", "--name", "web", "--replicas", "2", "--init", "busybox", "sleep", "1000")).Succeeded();
        (await _host.OrchAsync("node", "update", "--availability", "drain", "self")).Succeeded();
        var id = (await _host.OrchAsync("node", "ls", "-q")).Succeeded().Output.Trim();
        await Shell.EventuallyAsync("no running task", () => _host.OrchAsync("ps", "-q"), r => r.Output.Length == 0);
        Assert.Contains("1 node not available for new tasks", (await _host.OrchAsync("service", "ps", "--no-trunc", "web")).Output, StringComparison.Ordinal);
        (await _host.DockerAsync("node", "update", "--availability", "active", id)).Succeeded();
        await Shell.EventuallyAsync("both tasks again", () => _host.TaskPidsAsync("web"), pids => pids.Count == 2);
    }
}
