using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cli;

public sealed class TeardownTests : IAsyncLifetime
{
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await CliHost.StartAsync();

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Teardown_waits_for_the_daemons_end_and_leaves_nothing(bool shimAnswers)
    {
        (await _host.OrchAsync("stack", "deploy", "-c", CliHost.Example("hello.yml"), "hello")).Succeeded();
        var running = await TeardownAsync("--yes");
        Assert.True(running.ExitCode == 1 && running.Error.Contains("another daemon", StringComparison.Ordinal), $"{running}");
        var group = (await File.ReadAllTextAsync($"{_host.Root}/data/cgroup-root")).Trim();
        Assert.NotEmpty(Directory.GetDirectories("/sys/fs/cgroup", Path.GetFileName(group), SearchOption.AllDirectories));

        await _host.KillDaemonAsync();
        if (!shimAnswers)
            await Shell.RunAsync("sh", ["-c", $"for p in $(ps -eo pid,args | awk '/[s]him .*{Path.GetFileName(_host.Root)}/ {{print $1}}'); do kill -9 $p; done"]);
        Assert.Contains("say --yes", (await TeardownAsync()).Error, StringComparison.Ordinal);
        var ran = await TeardownAsync("--yes");
        Assert.True(ran.ExitCode == 0, $"{ran}");

        Assert.False(Directory.Exists($"{_host.Root}/data") || Directory.Exists($"{_host.Root}/exec"));
        Assert.Equal("lo up0", string.Join(' ', (await _host.InsideAsync("ip", "-o", "link")).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')[1].Split('@', ':')[0])));
        Assert.Equal("", (await _host.InsideAsync("nft", "list", "ruleset")).Output.Trim());
        Assert.DoesNotContain(_host.Root, (await _host.InsideAsync("cat", "/proc/mounts")).Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories("/sys/fs/cgroup", Path.GetFileName(group), SearchOption.AllDirectories));
        Assert.DoesNotContain(_host.Root, (await Shell.RunAsync("ps", ["-eo", "args"])).Output, StringComparison.Ordinal);
        Assert.StartsWith("Nothing of orch is here", (await TeardownAsync("--yes")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_not_orchs_is_left_alone()
    {
        await File.WriteAllTextAsync($"{_host.Root}/precious", "");
        var ran = await _host.OrchAsync("system", "teardown", "--data-root", _host.Root, "--exec-root", $"{_host.Root}/none", "--yes");
        Assert.True(ran.ExitCode == 1 && ran.Error.Contains("is not a root of orch's", StringComparison.Ordinal), $"{ran}");
        Assert.True(File.Exists($"{_host.Root}/precious"));
    }

    private Task<Ran> TeardownAsync(params string[] more) => _host.OrchInsideAsync(
        ["system", "teardown", "--data-root", $"{_host.Root}/data", "--exec-root", $"{_host.Root}/exec", .. more]);
}
