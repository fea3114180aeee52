using System.Text.RegularExpressions;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cli;

public sealed partial class ExampleTests : IAsyncLifetime
{
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await CliHost.StartAsync();

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Every_example_deploys_does_what_its_comment_says_and_goes_away()
    {
        var hello = (await _host.OrchAsync("stack", "deploy", "-c", CliHost.Example("hello.yml"), "hello")).Succeeded();
        Assert.Contains("Successfully tagged hello:latest", hello.Output, StringComparison.Ordinal);
        Assert.EndsWith("hello_web  3/3 running\n", hello.Output, StringComparison.Ordinal);
        (await _host.OrchAsync("stack", "deploy", "-c", CliHost.Example("agent.yml"), "agent")).Succeeded();
        var names = (await _host.OrchAsync("stack", "deploy", "-c", CliHost.Example("names.yml"), "names")).Succeeded();
        Assert.Contains("Using cache", names.Output, StringComparison.Ordinal);
        (await _host.OrchAsync("stack", "deploy", "--detach", "-c", CliHost.Example("limits.yml"), "limits")).Succeeded();
        (await _host.OrchAsync("stack", "deploy", "-c", CliHost.Example("secrets.yml"), "secrets")).Succeeded();

        await Shell.EventuallyAsync("pages of three replicas", async () =>
        {
            var seen = new SortedSet<string>(StringComparer.Ordinal);
            for (var i = 0; i < 12; i++)
                seen.Add(Greeting().Match((await _host.FetchInsideAsync("http://127.0.0.1:8080/")).Output).Value);
            return seen;
        }, seen => seen.Count(s => s.Length > 0) == 3);
        await Shell.EventuallyAsync("an answer by name", () => _host.OrchAsync("service", "logs", "names_client"), r => Greeting().IsMatch(r.Output));
        await Shell.EventuallyAsync("a hog killed at its limit", () => _host.OrchAsync("service", "ps", "--no-trunc", "limits_hog"),
            r => r.Output.Contains("non-zero exit (137)", StringComparison.Ordinal));
        await Shell.EventuallyAsync("a filled-in config and a secret", () => _host.OrchAsync("service", "logs", "secrets_show"), r =>
            r.Output.Contains("This is task 1 of secrets_show on ", StringComparison.Ordinal) && r.Output.Contains("/run/secrets/password is readable by root alone (400)", StringComparison.Ordinal));
        Assert.Equal("agent_agent global 1/1\n", (await _host.OrchAsync("service", "ls", "--filter", "name=agent", "--format", "{{.Name}} {{.Mode}} {{.Replicas}}")).Output);

        (await _host.OrchAsync("stack", "rm", "hello", "agent", "names", "limits", "secrets")).Succeeded();
        Assert.Equal("", (await _host.OrchAsync("service", "ls", "-q")).Output);
        await Shell.EventuallyAsync("no running container", () => _host.OrchAsync("ps", "-q"), r => r.Output.Length == 0);
    }

    [Fact]
    public async Task A_stack_is_merged_changed_and_pruned_by_deploying_it_again()
    {
        var one = await CliHost.WriteAsync(_host, "one.yml", """
            services:
              web:
                image: busybox:latest
                init: true
                command: sleep 1000
                environment: {V: "1"}
                deploy: {replicas: 3, update_config: {parallelism: 1}}
              extra:
                image: busybox:latest
                init: true
                command: sleep 1000
            """);
        var two = await CliHost.WriteAsync(_host, "two.yml", """
            services:
              web:
                environment: {V: "2"}
                container_name: mine
                deploy: {replicas: 2}
            """);
        (await _host.OrchAsync("stack", "deploy", "-c", one, "s")).Succeeded();
        var before = await _host.TaskPidsAsync("s_web");
        var again = (await _host.OrchAsync("stack", "deploy", "-c", one, "-c", two, "s")).Succeeded();
        Assert.Contains("container_name: Setting the container name is not supported.", again.Error, StringComparison.Ordinal);
        Assert.Contains("Unchanged service s_extra", again.Output, StringComparison.Ordinal);
        Assert.EndsWith("s_web    2/2 running\n", again.Output, StringComparison.Ordinal);
        var after = await _host.TaskPidsAsync("s_web");
        Assert.Empty(before.Keys.Intersect(after.Keys));
        Assert.Equal("[V=2]\n", (await _host.OrchAsync("service", "inspect", "--format", "{{.Spec.TaskTemplate.ContainerSpec.Env}}", "s_web")).Output);

        var pruned = (await Shell.RunAsync("sh", ["-c", $"sed '/extra/,$d' {one} | {_host.CommandLine} stack deploy -c - --prune s"])).Succeeded();
        Assert.Contains("Removing service s_extra", pruned.Output, StringComparison.Ordinal);
        Assert.Equal("s_web 3/3\n", (await _host.OrchAsync("stack", "services", "--format", "{{.Name}} {{.Replicas}}", "s")).Output);
    }

    [GeneratedRegex("Hello from [0-9a-f]{12}", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Greeting();
}
