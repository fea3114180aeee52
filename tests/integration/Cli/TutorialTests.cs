using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cli;

/// <summary>What everybody does first, through the stock client.</summary>
public sealed class TutorialTests : IAsyncLifetime
{
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        StockClient.Require();
        _host = await CliHost.StartAsync();
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task An_image_becomes_a_web_server_that_is_looked_at_entered_stopped_and_cleared_away()
    {
        async Task<string> Docker(params string[] words) => (await _host.DockerAsync(words)).Succeeded().Output;

        Assert.Contains("busybox", await Docker("images"), StringComparison.Ordinal);
        var id = (await Docker("create", "-p", "8080:80", "--name", "web", "--init", "-e", "GREETING=hello", "busybox", "sh", "-c",
            "mkdir -p /srv; echo $GREETING > /srv/index.html; echo serving; exec httpd -f -v -p 80 -h /srv")).Trim();
        Assert.Equal(64, id.Length);
        Assert.Contains("Created", await Docker("ps", "-a"), StringComparison.Ordinal);
        Assert.Equal("web\n", await Docker("start", "web"));
        Assert.Contains("Up ", await Docker("ps", "-a"), StringComparison.Ordinal);
        Assert.Contains("0.0.0.0:8080->80/tcp", await Docker("ps"), StringComparison.Ordinal);
        await Shell.EventuallyAsync("its page", () => _host.FetchInsideAsync("http://127.0.0.1:8080/"), r => r.Output == "hello\n");
        Assert.Contains("serving\n", await Docker("logs", "web"), StringComparison.Ordinal);
        Assert.Matches(@"(?s)UID\s+PID\s+PPID\s+C\s+STIME\s+TTY\s+TIME\s+CMD\n.*httpd -f -v -p 80 -h /srv\n", await Docker("top", "web"));
        Assert.Equal("0.0.0.0:8080\n", await Docker("port", "web", "80"));
        Assert.Equal("running 8080\n", await Docker(
            "inspect", "--format", "{{.State.Status}} {{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}", "web"));
        var shell = await Terminal.RunAsync(
            [.. _host.Client("docker"), "exec", "-it", "web", "sh"],
            Terminal.Expect("# "), Terminal.Type("echo changed > /srv/index.html; cat /srv/index.html; exit\n"), Terminal.Expect("\nchanged"));
        Assert.True(shell.ExitCode == 0, $"{shell}");
        Assert.Equal("changed\n", (await _host.FetchInsideAsync("http://127.0.0.1:8080/")).Output);
        await Docker("rename", "web", "site");
        Assert.Equal("site\n", await Docker("restart", "-t", "1", "site"));
        await Shell.EventuallyAsync("its page again", () => _host.FetchInsideAsync("http://127.0.0.1:8080/"), r => r.Output == "hello\n");
        Assert.NotEqual(0, (await _host.DockerAsync("rm", "site")).ExitCode);
        Assert.Equal("site\n", await Docker("stop", "site"));
        Assert.Contains("Exited (143)", await Docker("ps", "-a"), StringComparison.Ordinal);
        Assert.Equal("site\n", await Docker("rm", "site"));
        Assert.Equal("", await Docker("ps", "-aq"));
        Assert.Contains("Untagged: busybox:latest", await Docker("rmi", "busybox"), StringComparison.Ordinal);
        Assert.Equal("", await Docker("images", "-q"));
    }
}
