using System.Diagnostics;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cluster;

/// <summary>What is refused, what ends, and what is said when a node is silent.</summary>
[Collection("labs")]
public sealed class ReachFaultTests
{
    [Fact]
    public async Task Followed_logs_go_on_on_another_node_and_nothing_stays_behind()
    {
        await using var lab = await LabCluster.UpAsync(3, "--managers", "2");
        (await lab.OrchAsync("host1", "service", "create", "--name", "web", "--detach", "--stop-grace-period", "1s", "--constraint", "node.hostname==host3", "busybox", "sh", "-c",
            "hostname; while true; do echo beat; sleep 0.2; done")).Succeeded();
        await RunsAsync(lab, "web", "host3");
        using var scratch = new ScratchFolder();
        var heard = scratch.At("heard");
        foreach (var file in new[] { heard, heard + ".stock" })
            await File.WriteAllTextAsync(file, ""); // read before the shells have opened them
        var orch = lab.Command("")[0];
        using var follower = Process.Start(new ProcessStartInfo("sh", ["-c", $"exec {orch} -H unix://{lab.Socket("host1")} service logs -f web > {heard} 2>&1"]))!;
        using var stock = Process.Start(new ProcessStartInfo("sh", ["-c", $"exec docker -H unix://{lab.Socket("host2")} service logs -f web > {heard}.stock 2>&1"]))!;
        using var executed = Process.Start(new ProcessStartInfo("sh", ["-c", $"exec docker -H unix://{lab.Socket("host1")} logs -f web.1 > /dev/null 2>&1"]))!;
        foreach (var file in new[] { heard, heard + ".stock" })
            await Shell.EventuallyAsync("lines of host3", () => File.ReadAllTextAsync(file), text => text.Contains("@host3", StringComparison.Ordinal) && text.Contains("beat", StringComparison.Ordinal));
        Assert.NotEqual(0, await ConnectionsAsync(lab, "host1"));

        (await lab.OrchAsync("host2", "service", "update", "--detach", "--constraint-rm", "node.hostname==host3", "--constraint-add", "node.hostname==host2", "web")).Succeeded();
        foreach (var file in new[] { heard, heard + ".stock" })
            await Shell.EventuallyAsync("lines of host2", () => File.ReadAllTextAsync(file), text => text.Contains("@host2", StringComparison.Ordinal));
        await executed.WaitForExitAsync(TestContext.Current.CancellationToken); // the container ended, and with it its log
        foreach (var client in new[] { follower, stock })
        {
            await Shell.RunAsync("kill", ["-TERM", $"{client.Id}"]); // of SIGINT a test that was begun in a background knows nothing
            await client.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await Shell.EventuallyAsync("no connection left", () => ConnectionsAsync(lab, "host1"), now => now == 0);
    }

    [Fact]
    public async Task A_silent_node_is_named_within_seconds()
    {
        await using var lab = await LabCluster.UpAsync(3, "--managers", "2");
        (await lab.OrchAsync("host1", "service", "create", "--name", "web", "--detach", "--mode", "global", "busybox", "sh", "-c", "hostname; exec sleep 1000")).Succeeded();
        await Shell.EventuallyAsync("three tasks", () => lab.OrchAsync("host1", "service", "ps", "web", "--format", "{{.CurrentState}}"), r => r.Output.Split("Running").Length == 4);
        var container = (await lab.OrchAsync("host3", "ps", "-q", "--no-trunc")).Succeeded().Output.Trim();
        var task = (await lab.OrchAsync("host3", "ps", "--format", "{{.Names}}")).Succeeded().Output.Trim();
        Assert.Equal(0, await ConnectionsAsync(lab, "host1"));
        using var sitting = Process.Start(new ProcessStartInfo("docker", ["-H", $"unix://{lab.Socket("host1")}", "exec", container, "sleep", "1000"]))!;
        await Shell.EventuallyAsync("the program there", () => lab.OrchAsync("host1", "top", container), r => r.Output.Split("sleep 1000").Length == 3);
        Assert.Equal(2, await ConnectionsAsync(lab, "host1"));
        await lab.CutAsync("host3");

        var began = Stopwatch.GetTimestamp();
        var refused = await lab.OrchAsync("host1", "exec", container, "true");
        Assert.Contains($"at {lab.Address("host3")}:2377", refused.Error, StringComparison.Ordinal);
        Assert.Contains($"node host3", refused.Error, StringComparison.Ordinal);
        Assert.Contains($"does not answer within 3 seconds: {task} is there", refused.Error, StringComparison.Ordinal);
        Assert.Equal("503", (await Shell.RunAsync("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", lab.Socket("host1"), $"http://orch/containers/{container}/json"])).Output);

        foreach (var client in new[] { "orch", "docker" })
        {
            var logs = client == "orch" ? await lab.OrchAsync("host1", "service", "logs", "web") : await Shell.RunAsync("docker", ["-H", $"unix://{lab.Socket("host1")}", "service", "logs", "web"]);
            Assert.Contains("@host1", logs.Output, StringComparison.Ordinal);
            Assert.Contains("@host2", logs.Output, StringComparison.Ordinal);
            Assert.NotEqual(0, logs.ExitCode);
            Assert.Contains("error from daemon in stream: Error grabbing logs: warning: incomplete log stream.", logs.Error, StringComparison.Ordinal);
            Assert.Contains("node host3", logs.Error, StringComparison.Ordinal);
        }

        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(40), "the silence was not told in time");

        // Who sat there when it was cut off is let go too.
        await sitting.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.NotEqual(0, sitting.ExitCode);
        await lab.HealAsync();
        await Shell.EventuallyAsync("an answer again", () => lab.OrchAsync("host1", "exec", container, "echo", "back"), r => r.Output == "back\n");
        await Shell.EventuallyAsync("no connection left", () => ConnectionsAsync(lab, "host1"), now => now == 0);
        await lab.KillDaemonAsync("host3");
        Assert.Contains("can't be reached: Connection refused", (await lab.OrchAsync("host1", "exec", container, "true")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_managers_in_office_are_answered_and_only_about_containers()
    {
        await using var lab = await LabCluster.UpAsync(3, "--managers", "2");
        (await lab.OrchAsync("host1", "service", "create", "--name", "web", "--detach", "--constraint", "node.hostname==host3", "busybox", "sleep", "1000")).Succeeded();
        await RunsAsync(lab, "web", "host3");
        var container = (await lab.OrchAsync("host3", "ps", "-q", "--no-trunc")).Succeeded().Output.Trim();
        using var scratch = new ScratchFolder();
        var manager = scratch.At("former.pem");
        File.Copy(Certificate(lab, "host2"), manager);

        async Task<string> AskAsync(string host, string? certificate, string path, string method = "GET") => (await lab.InsideAsync("host1",
        [
            "curl", "-sk", "--max-time", "10", "--http1.1", "-X", method, "-w", " %{http_code}", .. certificate is null ? Array.Empty<string>() : ["--cert", certificate, "--key", certificate],
            $"https://{lab.Address(host)}:2377{path}",
        ])).Output.Trim();

        var one = $"/containers/{container}/json";
        Assert.EndsWith(" 200", await AskAsync("host3", manager, one), StringComparison.Ordinal);
        Assert.Matches("is for nodes of this cluster, and the caller has no certificate.* 401$", await AskAsync("host3", null, one));
        Assert.Matches($"is for managers, and node .* is a worker by its certificate.* 403$", await AskAsync("host3", Certificate(lab, "host3"), one));
        Assert.Matches($"is for managers, and node .* is a worker by its certificate.* 403$", await AskAsync("host1", Certificate(lab, "host3"), one));

        // Containers that are there, and nothing else; and nothing is passed on to a third.
        foreach (var path in new[] { "/images/json", "/containers/json", "/info", "/services", "/swarm", "/volumes" })
            Assert.EndsWith(" 404", await AskAsync("host3", manager, path), StringComparison.Ordinal);
        foreach (var path in new[] { $"/containers/{container}/stop", "/containers/create", "/swarm/leave" })
            Assert.EndsWith(" 404", await AskAsync("host3", manager, path, "POST"), StringComparison.Ordinal);
        Assert.EndsWith(" 404", await AskAsync("host1", manager, one), StringComparison.Ordinal);

        // A manager that loses its office is let go where it sits, and not let in again with what it kept.
        var sitting = AskLongAsync();
        await Shell.EventuallyAsync("it follows", () => lab.OrchAsync("host1", "node", "ls"), r => r.ExitCode == 0);
        (await lab.OrchAsync("host1", "node", "demote", "host2")).Succeeded();
        await sitting;
        Assert.Matches("is none of the managers that this node was told of.* 403$", await AskAsync("host3", manager, one));
        Assert.Matches("is no manager any more.* 403$", await AskAsync("host1", manager, one));

        async Task AskLongAsync()
        {
            var ran = await lab.InsideAsync("host1", "curl", "-sk", "--max-time", "60", "--http1.1", "--cert", manager, "--key", manager, $"https://{lab.Address("host3")}:2377/containers/{container}/logs?follow=1&stdout=1");
            Assert.NotEqual(0, ran.ExitCode);
            Assert.NotEqual(28, ran.ExitCode); // curl's own limit
        }
    }

    [Fact]
    public async Task An_exec_is_found_by_another_manager_than_the_one_that_made_it()
    {
        await using var lab = await LabCluster.UpAsync(3, "--managers", "2");
        (await lab.OrchAsync("host1", "service", "create", "--name", "web", "--detach", "--constraint", "node.hostname==host3", "busybox", "sleep", "1000")).Succeeded();
        await RunsAsync(lab, "web", "host3");

        async Task<string> PostAsync(string host, string path, string body) =>
            (await Shell.RunAsync("curl", ["-sS", "--max-time", "20", "--unix-socket", lab.Socket(host), "-H", "Content-Type: application/json", "-d", body, $"http://orch{path}"])).Succeeded().Output;

        var made = await PostAsync("host1", "/containers/web.1/exec", """{"AttachStdout":true,"Cmd":["echo","from","afar"]}""");
        using var json = System.Text.Json.JsonDocument.Parse(made);
        var id = json.RootElement.GetProperty("Id").GetString()!;
        Assert.Contains("from afar", await PostAsync("host2", $"/exec/{id}/start", """{"Tty":true}"""), StringComparison.Ordinal);
        Assert.Equal(0, (await lab.GetAsync("host2", $"/exec/{id}/json")).GetProperty("ExitCode").GetInt32());
        await lab.CrashDaemonsAsync("host1");
        await Shell.EventuallyAsync("the code from a manager that knew nothing of it", () => lab.GetAsync("host1", $"/exec/{id}/json"), j => j.TryGetProperty("ExitCode", out var code) && code.GetInt32() == 0);
        Assert.Contains("No such exec", (await lab.GetAsync("host1", $"/exec/{new string('0', 64)}/json")).GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private static string Certificate(LabCluster lab, string host) =>
        Directory.EnumerateFiles(Path.Combine(lab.Folder, "hosts", host), "node.pem", SearchOption.AllDirectories).Single();

    private static async Task RunsAsync(LabCluster lab, string service, string host) => await Shell.EventuallyAsync($"{service} on {host}",
        () => lab.OrchAsync("host1", "service", "ps", service, "--filter", "desired-state=running", "--format", "{{.Node}} {{.CurrentState}}"), r => r.Output.StartsWith($"{host} Running", StringComparison.Ordinal));

    /// <summary>Into the worker host3, which nobody dials but for its containers, as it sees them and as a manager does.</summary>
    private static async Task<int> ConnectionsAsync(LabCluster lab, string manager)
    {
        var there = (await lab.InsideAsync("host3", "ss", "-Htn", "state", "established", "( sport = :2377 )")).Succeeded();
        var here = (await lab.InsideAsync(manager, "ss", "-Htn", "state", "established", $"( dport = :2377 and dst {lab.Address("host3")} )")).Succeeded();
        return (there.Output + here.Output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
    }
}
