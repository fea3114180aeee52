using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cli;

public sealed class RefusalTests : IAsyncLifetime
{
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await CliHost.StartAsync();

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Theory]
    [InlineData("image: nothere:9", "No such image: nothere:9")]
    [InlineData("image: busybox:latest\n    command: [/no/such]\n    deploy: {restart_policy: {condition: none}}", "exec: \"/no/such\"")]
    [InlineData("image: busybox:latest\n    deploy: {placement: {constraints: [node.labels.disk == ssd]}}", "scheduling constraints not satisfied on 1 node: node.labels.disk == ssd")]
    [InlineData("image: busybox:latest\n    deploy: {resources: {reservations: {cpus: '640', memory: 900G}}}", "insufficient resources on 1 node: 640 CPUs and 921600 MiB of memory wanted")]
    public async Task A_service_that_cannot_run_fails_the_deploy_with_the_reason_that_service_ps_gives_too(string service, string reason)
    {
        var file = await CliHost.WriteAsync(_host, "bad.yml", $"services:\n  a:\n    {service}\n");
        var ran = await _host.OrchAsync("stack", "deploy", "-c", file, "bad");
        Assert.True(ran.ExitCode == 1, $"{ran}");
        Assert.Contains("bad_a.1: ", ran.Error, StringComparison.Ordinal);
        Assert.Contains(reason, ran.Error, StringComparison.Ordinal);
        Assert.Contains(reason, (await _host.OrchAsync("service", "ps", "--no-trunc", "bad_a")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_taken_unknown_or_outdated_is_named_with_exit_code_1()
    {
        (await _host.OrchAsync("service", "create", "--name", "web", "-p", "8080:80", "--init", "busybox", "sleep", "1000")).Succeeded();
        await RefusedAsync("service web already exists", "service", "create", "--name", "web", "busybox");
        await RefusedAsync("port '8080' is already in use by service 'web'", "service", "create", "--name", "other", "-p", "8080:80", "busybox");
        await RefusedAsync("constraint expected one operator", "service", "create", "--constraint", "disk", "busybox");
        await RefusedAsync("service nope not found", "service", "rm", "nope");
        await RefusedAsync("No such container: nope", "stop", "nope");
        await RefusedAsync("node nope not found", "node", "inspect", "nope");
        await RefusedAsync("This node is already part of a swarm", "swarm", "init");
        await RefusedAsync("--force", "swarm", "leave");
        (await _host.OrchAsync("network", "create", "mine")).Succeeded();
        await RefusedAsync("network with name mine already exists", "network", "create", "mine");

        var spec = (await _host.OrchAsync("service", "inspect", "--format", "{{json .Spec}}", "web")).Succeeded().Output;
        var old = await Shell.RunAsync("curl", ["-sS", "--unix-socket", _host.Socket, "-d", spec, "http://orch/services/web/update?version=1"]);
        Assert.Contains("update out of sequence: service web is at version ", old.Output, StringComparison.Ordinal);
    }

    private async Task RefusedAsync(string reason, params string[] arguments)
    {
        var ran = await _host.OrchAsync(arguments);
        Assert.True(ran.ExitCode == 1 && ran.Error.Contains(reason, StringComparison.Ordinal), $"{ran}");
    }
}
