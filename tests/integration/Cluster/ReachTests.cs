using System.Globalization;
using System.Security.Cryptography;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cluster;

/// <summary>A lab of two managers and a worker; every verb is asked of a manager that does not run the task.</summary>
public sealed class ReachLab : IAsyncLifetime
{
    internal LabCluster Lab { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Lab = await LabCluster.UpAsync(3, "--managers", "2");
        foreach (var (name, host) in new[] { ("far", "host3"), ("near", "host2"), ("own", "host1") })
        {
            (await Lab.OrchAsync("host2", "service", "create", "--name", name, "--detach", "--constraint", $"node.hostname=={host}", "busybox", "sh", "-c",
                $"echo {name} says hello; echo {name} complains >&2; trap 'echo got hup' HUP; trap 'exit 0' TERM; while true; do sleep 0.1; done")).Succeeded();
            await Shell.EventuallyAsync($"{name} on {host}", () => Lab.OrchAsync("host1", "service", "ps", name, "--format", "{{.CurrentState}}"), r => r.Output.StartsWith("Running", StringComparison.Ordinal));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Lab is { } lab)
            await lab.DisposeAsync();
    }
}

[Collection("labs")]
public sealed class ReachTests(ReachLab world) : IClassFixture<ReachLab>
{
    private LabCluster Lab => world.Lab;

    /// <summary>The words before a verb, for the stock client and ours, against a host.</summary>
    private string[] Client(string client, string host) => [client == "docker" ? "docker" : Lab.Command("")[0], "-H", $"unix://{Lab.Socket(host)}"];

    private Task<Ran> RunAsync(string client, string host, params string[] words) =>
        Shell.RunAsync(Client(client, host)[0], [.. Client(client, host)[1..], .. words], environment: new Dictionary<string, string> { ["NO_COLOR"] = "1" });

    private async Task<(string Task, string Container)> TaskAsync(string service)
    {
        var id = (await RunAsync("orch", "host1", "service", "ps", "-q", "--no-trunc", "--filter", "desired-state=running", service)).Succeeded().Output.Trim();
        return (id, (await Lab.GetAsync("host1", $"/tasks/{id}")).GetProperty("Status").GetProperty("ContainerStatus").GetProperty("ContainerID").GetString()!);
    }

    public static TheoryData<string, string, string> Ways => new()
    {
        { "orch", "host1", "far" }, { "docker", "host1", "far" }, { "orch", "host1", "near" }, { "docker", "host1", "near" }, { "orch", "host2", "own" }, { "orch", "host1", "own" },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task What_is_read_of_a_container_is_read_from_any_manager(string client, string host, string service)
    {
        var (task, container) = await TaskAsync(service);
        foreach (var reference in new[] { $"{service}.1", $"{service}.1.{task}", container, container[..12] })
        {
            Assert.Equal(container, (await RunAsync(client, host, "inspect", "--format", "{{.ID}}", "--type", "container", reference)).Succeeded().Output.Trim());
            Assert.Equal("hello", (await RunAsync(client, host, "exec", reference, "echo", "hello")).Succeeded().Output.Trim());
        }

        var name = $"{service}.1";
        var logs = (await RunAsync(client, host, "logs", name)).Succeeded();
        Assert.StartsWith($"{service} says hello\n", logs.Output, StringComparison.Ordinal);
        Assert.Equal($"{service} complains\n", logs.Error);
        Assert.Matches(@"^20\d\d-\S+Z " + service, (await RunAsync(client, host, "logs", "-t", name)).Succeeded().Output);
        Assert.Equal("", (await RunAsync(client, host, "logs", "--until", "2020-01-01T00:00:00Z", name)).Succeeded().Output);
        Assert.Contains("sleep 0.1", (await RunAsync(client, host, "top", name, "-o", "args")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains(name, (await RunAsync(client, host, "stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", name)).Succeeded().Output, StringComparison.Ordinal);
        (await RunAsync(client, host, "exec", name, "touch", "/made")).Succeeded();
        Assert.Contains("A /made", (await RunAsync(client, host, "diff", name)).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal("", (await RunAsync(client, host, "port", name)).Succeeded().Output.Trim());
        (await RunAsync(client, host, "kill", "-s", "HUP", name)).Succeeded();
        await Shell.EventuallyAsync("the signal's words", () => RunAsync(client, host, "logs", "--tail", "1", name), r => r.Output.Contains("got hup", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task An_exec_elsewhere_has_its_exit_code_its_stdin_and_its_terminal(string client, string host, string service)
    {
        var name = $"{service}.1";
        Assert.Equal(37, (await RunAsync(client, host, "exec", name, "sh", "-c", "exit 37")).ExitCode);
        Assert.Equal(127, (await RunAsync(client, host, "exec", name, "nothing-of-this-name")).ExitCode);

        // Five million bytes in, their digest out: it comes only after stdin's end was passed on.
        var bytes = RandomNumberGenerator.GetBytes(5_000_000);
        using var scratch = new ScratchFolder();
        var file = scratch.At("in");
        await File.WriteAllBytesAsync(file, bytes);
        var line = string.Join(' ', Client(client, host));
        var digest = await Shell.RunAsync("sh", ["-c", $"{line} exec -i {name} sha256sum < {file}"]);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), digest.Succeeded().Output.Split(' ')[0]);

        // And both ways at once.
        var echoed = await Shell.RunAsync("sh", ["-c", $"{line} exec -i {name} cat < {file} | cmp - {file}"]);
        Assert.Equal("", echoed.Succeeded().Output);

        var terminal = await Terminal.RunAsync(
            [.. Client(client, host), "exec", "-it", name, "sh"],
            Terminal.Type("stty size; echo $((6*7)).\n"), Terminal.Expect("33 101"), Terminal.Expect("42."),
            Terminal.Resize(20, 70), Terminal.Type("while [ \"$(stty size)\" != '20 70' ]; do sleep 0.1; done; echo small''er\n"), Terminal.Expect("smaller"), Terminal.Type("exit 5\n"));
        Assert.Equal(5, terminal.ExitCode);

        (await RunAsync(client, host, "exec", "-d", name, "sh", "-c", "echo late > /late")).Succeeded();
        await Shell.EventuallyAsync("the detached program's file", () => RunAsync(client, host, "exec", name, "cat", "/late"), r => r.Output == "late\n");
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Trees_are_copied_both_ways_unchanged(string client, string host, string service)
    {
        var name = $"{service}.1";
        var root = Path.Combine(Lab.Root, $"tree-{client}-{host}-{service}");
        var tree = Path.Combine(root, "there");
        Directory.CreateDirectory(Path.Combine(tree, "deep", "deeper"));
        for (var i = 0; i < 40; i++)
            await File.WriteAllBytesAsync(Path.Combine(tree, i % 2 == 0 ? "deep" : Path.Combine("deep", "deeper"), string.Create(CultureInfo.InvariantCulture, $"f{i}")), RandomNumberGenerator.GetBytes(i * 7919));
        File.CreateSymbolicLink(Path.Combine(tree, "link"), "deep/f2");
        await File.WriteAllBytesAsync(Path.Combine(tree, "large"), RandomNumberGenerator.GetBytes(20_000_000));
        try
        {
            var at = $"/copied-{client}-{host}";
            (await RunAsync(client, host, "cp", tree, $"{name}:{at}")).Succeeded();
            (await RunAsync(client, host, "cp", $"{name}:{at}", Path.Combine(root, "back"))).Succeeded();
            Assert.Equal(await DigestAsync(tree), await DigestAsync(Path.Combine(root, "back")));
            var missing = await RunAsync(client, host, "cp", tree, $"{name}:/no/such/place");
            Assert.NotEqual(0, missing.ExitCode);
            Assert.Contains("Could not find the file /no/such", missing.Error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        static async Task<string> DigestAsync(string folder) =>
            (await Shell.RunAsync("sh", ["-ec", $"cd {folder}; find . -type f | sort | xargs sha256sum; find . -type l | sort | xargs readlink; find . | sort | xargs stat -c '%a %F %n'"])).Succeeded().Output;
    }

    [Fact]
    public async Task A_task_id_names_its_container_where_no_other_object_is_meant()
    {
        var (task, container) = await TaskAsync("far");
        Assert.Equal("hi", (await RunAsync("orch", "host1", "exec", task, "echo", "hi")).Succeeded().Output.Trim());
        Assert.Equal(task, (await RunAsync("docker", "host1", "inspect", "--format", "{{.ID}}", task)).Succeeded().Output.Trim());
        var none = (await Lab.GetAsync("host1", $"/containers/{task}/json")).GetProperty("message").GetString();
        Assert.Equal($"No such container: {task}; it is a task, and its container is far.1.{task}", none);
        var refused = await RunAsync("docker", "host1", "stop", container);
        Assert.Contains($"is the container of task far.1.{task} on node host3", refused.Error, StringComparison.Ordinal);
        Assert.Contains("No such container: far.2", (await RunAsync("docker", "host1", "exec", "far.2", "true")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_names_the_managers_to_who_asks_it_for_a_task_elsewhere()
    {
        var refused = await RunAsync("docker", "host3", "exec", "near.1", "true");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("This node is not a swarm manager", refused.Error, StringComparison.Ordinal);
        Assert.Contains($"{Lab.Address("host1")}:2377", refused.Error, StringComparison.Ordinal);
        Assert.Contains("No such container: neither", (await RunAsync("docker", "host3", "exec", "neither", "true")).Error, StringComparison.Ordinal);
        Assert.Equal("ok", (await RunAsync("docker", "host3", "exec", (await TaskAsync("far")).Container, "echo", "ok")).Succeeded().Output.Trim());
    }

    [Fact]
    public async Task Attached_from_elsewhere_a_client_sees_the_output_and_its_end()
    {
        (await Lab.OrchAsync("host1", "service", "create", "--name", "ends", "--detach", "--restart-condition", "none", "--constraint", "node.hostname==host3", "busybox", "sh", "-c",
            "until test -e /go; do sleep 0.1; done; echo the end; exit 3")).Succeeded();
        await Shell.EventuallyAsync("ends runs", () => Lab.OrchAsync("host1", "service", "ps", "ends", "--format", "{{.CurrentState}}"), r => r.Output.StartsWith("Running", StringComparison.Ordinal));
        var (_, container) = await TaskAsync("ends");
        var attached = RunAsync("docker", "host1", "attach", "--no-stdin", "ends.1");
        var waited = RunAsync("orch", "host1", "wait", container);
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, TestContext.Current.CancellationToken);
        (await RunAsync("orch", "host1", "exec", "ends.1", "touch", "/go")).Succeeded();
        Assert.Equal("the end\n", (await attached).Output);
        Assert.Equal(3, (await attached).ExitCode);
        Assert.Equal("3", (await waited).Succeeded().Output.Trim());
        (await Lab.OrchAsync("host1", "service", "rm", "ends")).Succeeded();
    }
}
