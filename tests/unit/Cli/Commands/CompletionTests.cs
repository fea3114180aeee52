namespace Orchestrator.Tests.Unit.Cli.Commands;

public sealed class CompletionTests
{
    [Theory]
    [InlineData("st", "stack")]
    [InlineData("service sc", "scale")]
    [InlineData("stack deploy --comp", "--compose-file")]
    [InlineData("service ls --fil", "--filter")]
    [InlineData("--host unix:///x service sc", "scale")]
    public async Task Commands_and_flags_are_completed(string line, string expected)
    {
        await using var engine = await FakeEngine.StartAsync();
        var ran = await engine.RunAsync(["__complete", "--", .. line.Split(' ')]);
        Assert.Equal(0, ran.Code);
        Assert.Contains(expected, ran.Out.Split('\n').Select(l => l.Split('\t')[0]));
    }

    [Fact]
    public async Task Names_are_asked_of_the_daemon()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("GET /services", """[{"ID":"a","Spec":{"Name":"hello_web"}},{"ID":"b","Spec":{"Name":"other"}}]""");
        engine.On("GET /containers/json", """[{"Id":"c","Names":["/one"]},{"Id":"d","Names":["/two"]}]""");
        Assert.Equal("hello_web\t\n", (await engine.RunAsync("__complete", "--", "service", "rm", "hel")).Out);
        Assert.Equal("one\t\ntwo\t\n", (await engine.RunAsync("__complete", "--", "stop", "one", "")).Out);
        Assert.Equal("two\t\n", (await engine.RunAsync("__complete", "--", "container", "inspect", "--format", "{{.Id}}", "t")).Out);
    }

    [Fact]
    public async Task A_flag_of_files_leaves_paths_to_the_shell()
    {
        await using var engine = await FakeEngine.StartAsync();
        Assert.Equal(":files\n", (await engine.RunAsync("__complete", "--", "stack", "deploy", "-c", "sta")).Out);
    }

    [Fact]
    public async Task A_daemon_that_is_not_there_has_no_names()
    {
        await using var engine = await FakeEngine.StartAsync();
        var ran = await engine.RunAsync("__complete", "--", "service", "rm", "");
        Assert.Equal((0, "", ""), (ran.Code, ran.Out, ran.Error));
    }

    [Theory]
    [InlineData("bash", "complete -F _orch orch")]
    [InlineData("zsh", "#compdef orch")]
    [InlineData("fish", "complete -c orch")]
    public async Task Every_shell_has_its_script(string shell, string expected)
    {
        await using var engine = await FakeEngine.StartAsync();
        Assert.Contains(expected, (await engine.RunAsync("completion", shell)).Out, StringComparison.Ordinal);
        Assert.Equal(1, (await engine.RunAsync("completion", "tcsh")).Code);
    }
}
