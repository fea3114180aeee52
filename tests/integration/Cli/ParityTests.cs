using Orchestrator.Tests.Integration.Fixtures;
using static Orchestrator.Tests.Integration.Fixtures.Terminal;

namespace Orchestrator.Tests.Integration.Cli;

/// <summary>Small promises of docker's that scripts rely on, by the stock client and by ours.</summary>
public sealed class ParityTests : IAsyncLifetime
{
    private static readonly string[] Clients = ["docker", "orch"];
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        StockClient.Require();
        _host = await CliHost.StartAsync();
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    private Task<Ran> AskAsync(string client, params string[] words) => _host.ClientAsync(client, null, words);

    [Fact]
    public async Task A_program_has_its_own_group_among_the_supplementary_ones_in_runs_and_execs()
    {
        (await _host.OrchAsync("run", "-d", "--name", "box", "--init", "busybox", "sleep", "1000")).Succeeded();
        foreach (var client in Clients)
        {
            Assert.Equal("Groups:\t33 567 \n", (await AskAsync(client, "run", "--rm", "-u", "1234:567", "--group-add", "33", "busybox", "grep", "Groups", "/proc/self/status")).Succeeded().Output);
            Assert.Equal("Groups:\t567 \n", (await AskAsync(client, "exec", "-u", "1234:567", "box", "grep", "Groups", "/proc/self/status")).Succeeded().Output);
        }
    }

    [Fact]
    public async Task A_range_of_host_ports_gives_each_container_a_free_one_and_says_when_there_is_none()
    {
        foreach (var client in Clients)
        {
            foreach (var port in new[] { 8300, 8301 })
            {
                (await AskAsync(client, "run", "-d", "--init", "--name", $"p{port}", "-p", "127.0.0.1:8300-8301:80", "busybox", "sleep", "1000")).Succeeded();
                Assert.Equal($"80/tcp -> 127.0.0.1:{port}\n", (await AskAsync(client, "port", $"p{port}")).Succeeded().Output);
            }

            var third = await AskAsync(client, "run", "-d", "--name", "third", "-p", "127.0.0.1:8300-8301:80", "busybox", "sleep", "1000");
            Assert.True(third.ExitCode == 125 && third.Error.Contains("no port of 8300-8301/tcp is free", StringComparison.Ordinal), $"{third}");
            (await AskAsync(client, "rm", "-f", "p8300", "p8301", "third")).Succeeded();
        }
    }

    [Fact]
    public async Task What_scripts_inspect_is_there()
    {
        (await _host.DockerAsync("run", "-d", "--init", "--name", "up", "-h", "a.example.org", "busybox", "sleep", "1000")).Succeeded();
        (await _host.DockerAsync("create", "--name", "made", "busybox", "sh", "-c", "echo a b")).Succeeded();
        foreach (var client in Clients)
        {
            var place = (await AskAsync(client, "inspect", "-f", "{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Gateway}} {{.NetworkSettings.MacAddress}}", "up")).Succeeded().Output;
            Assert.Equal(place, (await AskAsync(client, "inspect", "-f", "{{with .NetworkSettings.Networks.bridge}}{{.IPAddress}} {{.Gateway}} {{.MacAddress}}{{end}}", "up")).Succeeded().Output);
            Assert.Matches(@"^\d+\.\d+\.\d+\.\d+ \d+\.\d+\.\d+\.1 ", place);
            Assert.Equal("0001-01-01T00:00:00Z 1\n", (await AskAsync(client, "inspect", "-f", "{{.State.FinishedAt}} {{len .NetworkSettings.Networks}}", "made")).Succeeded().Output);
            Assert.Matches(@"^\d+\n$", (await AskAsync(client, "inspect", "-s", "-f", "{{.SizeRootFs}}", "up")).Succeeded().Output);
            Assert.Equal("made bridge \"sh -c 'echo a b'\"\n", (await AskAsync(client, "ps", "-a", "--no-trunc", "--filter", "name=made", "--format", "{{.Names}} {{.Networks}} {{.Command}}")).Succeeded().Output);
            Assert.EndsWith("\ta.example.org a\n", (await AskAsync(client, "exec", "up", "cat", "/etc/hosts")).Succeeded().Output, StringComparison.Ordinal);
            Assert.Contains("Published ports are discarded when using host network mode", (await AskAsync(client, "create", "--network", "host", "-p", "80:80", "busybox")).Succeeded().Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_saved_image_comes_back_by_load()
    {
        foreach (var client in Clients)
        {
            var file = Path.Combine(_host.Root, client + ".tar");
            (await AskAsync(client, "tag", "busybox", $"kept:{client}")).Succeeded();
            (await AskAsync(client, "save", "-o", file, $"kept:{client}")).Succeeded();
            (await AskAsync(client, "rmi", $"kept:{client}")).Succeeded();
            Assert.Contains($"Loaded image: kept:{client}", (await AskAsync(client, "load", "-i", file)).Succeeded().Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Attaching_draws_the_screen_of_a_program_that_runs_again()
    {
        (await _host.OrchAsync("run", "-dit", "--name", "shown", "busybox", "sh", "-c", "trap 'echo drawn' WINCH; while :; do sleep 0.1; done")).Succeeded();
        foreach (var client in Clients)
        {
            var ran = await Terminal.RunAsync([.. _host.Client(client), "attach", "shown"], Expect("drawn"), Type("\u0010\u0011"));
            Assert.Contains("drawn", ran.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_build_cache_is_pruned_by_age_and_by_nothing_else_that_is_asked_for()
    {
        var ran = await Shell.RunAsync("curl", ["-sS", "-X", "POST", "--unix-socket", _host.Socket, "http://orch/build/prune?keep-storage=1000"]);
        Assert.Contains("'keep-storage' is not there", ran.Output, StringComparison.Ordinal);
        var filtered = await Shell.RunAsync("curl", ["-sS", "-G", "-X", "POST", "--data-urlencode", "filters={\"type\":[\"regular\"]}", "--unix-socket", _host.Socket, "http://orch/build/prune"]);
        Assert.Contains("invalid filter 'type'", filtered.Output, StringComparison.Ordinal);
        var context = Directory.CreateDirectory(Path.Combine(_host.Root, "context")).FullName;
        await File.WriteAllTextAsync(Path.Combine(context, "Dockerfile"), "FROM busybox\nRUN echo a > /a\n");
        (await _host.OrchAsync("build", "-q", context)).Succeeded();
        var cached = (await _host.OrchAsync("system", "df", "--format", "{{.Type}} {{.TotalCount}}")).Succeeded().Output;
        Assert.DoesNotContain("Build Cache 0", cached, StringComparison.Ordinal);
        (await _host.OrchAsync("system", "prune", "-f", "--filter", "until=1h")).Succeeded();
        Assert.Equal(cached, (await _host.OrchAsync("system", "df", "--format", "{{.Type}} {{.TotalCount}}")).Succeeded().Output);
        (await _host.OrchAsync("system", "prune", "-f")).Succeeded();
        Assert.Contains("Build Cache 0", (await _host.OrchAsync("system", "df", "--format", "{{.Type}} {{.TotalCount}}")).Succeeded().Output, StringComparison.Ordinal);
    }
}
