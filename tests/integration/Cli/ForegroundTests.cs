using System.Diagnostics;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cli;

/// <summary>Programs at our stdio, through the stock client and through ours.</summary>
public sealed class ForegroundTests : IAsyncLifetime
{
    private static readonly string[] Clients = ["docker", "orch"];
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        StockClient.Require();
        _host = await CliHost.StartAsync();
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task An_exec_takes_our_input_and_gives_its_output_and_exit_code()
    {
        (await _host.OrchAsync("run", "-d", "--name", "box", "--init", "-e", "OF=container", "busybox", "sleep", "1000")).Succeeded();
        var much = new string('x', 3_000_000);
        foreach (var client in Clients)
        {
            Task<Ran> Exec(string? input, params string[] words) => _host.ClientAsync(client, input, ["exec", .. words]);

            Is((0, "hi\n", ""), await Exec(null, "box", "echo", "hi"));
            Is((0, "typed", ""), await Exec("typed", "-i", "box", "cat"));
            Is((0, $"{much.Length}\n", ""), await Exec(much, "-i", "box", "wc", "-c"));
            Assert.Equal(much, (await Exec(much, "-i", "box", "cat")).Succeeded().Output);
            // The program ends while its input is still on its way.
            Is((0, "xxx", ""), await FedAsync(client, "exec -i box head -c 3"));
            Is((5, "", ""), await FedAsync(client, "run -i --rm busybox sh -c 'exit 5'"));
            Is((0, "typed", ""), await _host.ClientAsync(client, "typed", ["run", "-i", "--rm", "-a", "stdout", "busybox", "cat"]));
            Is((6, "", ""), await _host.ClientAsync(client, "typed", ["run", "-i", "--rm", "-a", "stdin", "busybox", "sh", "-c", "read word; echo $word; test $word = typed && exit 6"]));
            Is((7, "", "bad\n"), await Exec(null, "box", "sh", "-c", "echo bad >&2; exit 7"));
            Is((0, "33 33 /tmp container mine /var/www\n", ""), await Exec(
                null, "-u", "www", "-w", "/tmp", "-e", "ME=mine", "box", "sh", "-c", "echo $(id -u) $(id -g) $(pwd) $OF $ME $HOME"));
            Is((0, "12 65534\n", ""), await Exec(null, "-u", "12:nogroup", "box", "sh", "-c", "echo $(id -u) $(id -g)"));
            var missing = await Exec(null, "box", "nosuch");
            Assert.True(missing.ExitCode == 127 && (missing.Output + missing.Error).Contains("executable file not found in $PATH", StringComparison.Ordinal), $"{missing}");
            Assert.Equal(126, (await Exec(null, "box", "/tmp")).ExitCode);
            Assert.Equal(126, (await Exec(null, "-u", "nobodyknows", "box", "id")).ExitCode);
            Assert.Contains("CapEff:\t0000000000000000\n", (await Exec(null, "-u", "www", "box", "cat", "/proc/self/status")).Output, StringComparison.Ordinal);
            Assert.NotEqual(
                (await Exec(null, "box", "grep", "CapEff", "/proc/self/status")).Output, (await Exec(null, "--privileged", "box", "grep", "CapEff", "/proc/self/status")).Output);
            (await Exec(null, "-d", "box", "touch", $"/tmp/{client}")).Succeeded();
            await Shell.EventuallyAsync("the detached exec's file", () => Exec(null, "box", "ls", "/tmp"), r => r.Output.Contains(client, StringComparison.Ordinal));
            var gone = await Exec(null, "nobox", "true");
            Assert.True(gone.ExitCode == 1 && gone.Error.Contains("No such container: nobox", StringComparison.Ordinal), $"{gone}");
        }

        // A background child that keeps the output open does not keep the client.
        Is((0, "first\n", ""), await _host.ClientAsync("docker", null, "exec", "box", "sh", "-c", "sleep 500 & echo first"));
        Assert.Equal("null\n", (await _host.DockerAsync("inspect", "--format", "{{json .ExecIDs}}", "box")).Output);
        (await _host.DockerAsync("kill", "box")).Succeeded();
        var stopped = await _host.DockerAsync("exec", "box", "true");
        Assert.True(stopped.ExitCode == 1 && stopped.Error.Contains("is not running", StringComparison.Ordinal), $"{stopped}");
    }

    /// <summary>The client at the end of a pipe that holds 3 MB.</summary>
    private Task<Ran> FedAsync(string client, string words) =>
        Shell.RunAsync("sh", ["-c", $"(head -c 3000000 /dev/zero | tr '\\0' x) 2>/dev/null | {string.Join(' ', _host.Client(client))} {words}"]);

    [Fact]
    public async Task An_exec_ends_with_its_container_and_its_events_say_so()
    {
        (await _host.OrchAsync("run", "-d", "--name", "box", "--init", "busybox", "sleep", "1000")).Succeeded();
        var running = _host.DockerAsync("exec", "box", "sleep", "1000");
        await Shell.EventuallyAsync("the exec", () => _host.OrchAsync("inspect", "--format", "{{len .ExecIDs}}", "box"), r => r.Output == "1\n");
        (await _host.DockerAsync("kill", "box")).Succeeded();
        Assert.Equal(137, (await running).ExitCode);
        // The client asks for whole seconds only: what has just happened comes with the next.
        await Shell.EventuallyAsync(
            "its events",
            () => _host.DockerAsync("events", "--since", "10m", "--until", Shell.Now, "--filter", "event=exec_create", "--filter", "event=exec_start", "--filter", "event=exec_die",
                "--format", "{{.Action}} {{.Actor.Attributes.exitCode}}"),
            r => r.Output == "exec_create: sleep 1000 <no value>\nexec_start: sleep 1000 <no value>\nexec_die 137\n");
    }

    [Fact]
    public async Task A_container_in_the_foreground_is_a_filter_with_its_own_exit_code()
    {
        var much = string.Concat(Enumerable.Range(0, 200_000).Select(i => $"{i}\n"));
        foreach (var client in Clients)
        {
            Task<Ran> Run(string? input, params string[] words) => _host.ClientAsync(client, input, ["run", .. words]);

            Is((0, "typed", ""), await Run("typed", "--rm", "-i", "busybox", "cat"));
            Assert.Equal(much, (await Run(much, "--rm", "-i", "busybox", "cat")).Succeeded().Output);
            Is((3, "out\n", "bad\n"), await Run(null, "--rm", "busybox", "sh", "-c", "echo out; echo bad >&2; exit 3"));
            // What ends at once has been heard all the same.
            for (var i = 0; i < 5; i++)
                Is((0, "at once\n", ""), await Run(null, "--rm", "busybox", "echo", "at once"));
            Assert.Equal(127, (await Run(null, "--rm", "busybox", "nosuch")).ExitCode);
            Assert.Equal(126, (await Run(null, "--rm", "busybox", "/tmp")).ExitCode);
            Assert.Equal(125, (await Run(null, "--rm", "--memory", "1", "busybox", "true")).ExitCode);
            var image = await Run(null, "nosuchimage", "true");
            Assert.True(image.ExitCode == 125 && image.Error.Contains("from a registry is not there yet", StringComparison.Ordinal), $"{image}");
            Is((0, "", ""), await Run(null, "--rm", "-a", "stderr", "busybox", "echo", "unheard"));
            Assert.Equal(4, (await Run(null, "--name", "kept", "busybox", "sh", "-c", "exit 4")).ExitCode);
            Assert.Equal("4\n", (await _host.ClientAsync(client, null, "inspect", "--format", "{{.State.ExitCode}}", "kept")).Output);
            Assert.Equal(4, (await _host.ClientAsync(client, null, "start", "-a", "kept")).ExitCode);
            (await _host.ClientAsync(client, null, "rm", "kept")).Succeeded();
            Assert.Equal("", (await _host.ClientAsync(client, null, "ps", "-aq")).Output);
        }
    }

    [Fact]
    public async Task A_signal_to_the_client_is_the_programs()
    {
        foreach (var client in Clients)
        {
            var words = _host.Client(client);
            using var process = Process.Start(new ProcessStartInfo(
                words[0], [.. words[1..], "run", "--name", "trap", "busybox", "sh", "-c", "trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.1; done"])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            })!;
            Assert.Equal("ready", await process.StandardOutput.ReadLineAsync(CancellationToken.None));
            await Shell.RunAsync("kill", ["-TERM", $"{process.Id}"]);
            Assert.Equal("got\n", await process.StandardOutput.ReadToEndAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System));
            await process.WaitForExitAsync(CancellationToken.None);
            Assert.Equal(9, process.ExitCode);
            (await _host.DockerAsync("rm", "trap")).Succeeded();
        }
    }

    [Fact]
    public async Task Attach_shows_what_comes_from_now_on_and_its_call_works_without_an_upgrade()
    {
        (await _host.DockerAsync("run", "-d", "-i", "--name", "talk", "busybox", "sh", "-c", "echo before; while read l; do echo got $l; done; echo over")).Succeeded();
        await Shell.EventuallyAsync("its first line", () => _host.DockerAsync("logs", "talk"), r => r.Output == "before\n");
        var raw = Shell.RunAsync("curl", ["-sSN", "-X", "POST", "--unix-socket", _host.Socket, "http://orch/containers/talk/attach?logs=1&stream=1&stdout=1&stderr=1"]);
        await Shell.EventuallyAsync("both at the container", () => _host.DockerAsync("events", "--since", "10m", "--until", Shell.Now, "--filter", "event=attach", "--format", "{{.Action}}"), r => r.Output == "attach\n");
        // Its stdin stays open for the next, since it is not for the first alone. The stock client would wait for the container's end.
        foreach (var line in (string[])["one", "two"])
            Assert.Equal(0, (await _host.ClientAsync("orch", line + "\n", "attach", "talk")).ExitCode);
        await Shell.EventuallyAsync("both lines", () => _host.DockerAsync("logs", "talk"), r => r.Output == "before\ngot one\ngot two\n");
        (await _host.DockerAsync("kill", "talk")).Succeeded();
        Assert.EndsWith("got two\n", (await raw).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("before\n", (await raw).Output, StringComparison.Ordinal);
        var socket = await Shell.RunAsync("curl", ["-sS", "--unix-socket", _host.Socket, "http://orch/containers/talk/attach/ws"]);
        Assert.Contains("does not attach through a WebSocket", socket.Output, StringComparison.Ordinal);
        foreach (var client in Clients)
            Assert.Contains("annot attach to a stopped container", (await _host.ClientAsync(client, null, "attach", "talk")).Error, StringComparison.Ordinal);
    }

    private static void Is((int Code, string Output, string Error) expected, Ran ran) =>
        Assert.True(expected == (ran.ExitCode, ran.Output, ran.Error), $"{ran}");
}
