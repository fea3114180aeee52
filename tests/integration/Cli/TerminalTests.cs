using Orchestrator.Tests.Integration.Fixtures;
using static Orchestrator.Tests.Integration.Fixtures.Terminal;

namespace Orchestrator.Tests.Integration.Cli;

/// <summary>Programs at a terminal of ours, through the stock client and through ours.</summary>
public sealed class TerminalTests : IAsyncLifetime
{
    private static readonly string[] Clients = ["docker", "orch"];
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        StockClient.Require();
        _host = await CliHost.StartAsync();
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    private Task<Ran> AtTerminalAsync(string client, string[] words, params (string, object)[] steps) => Terminal.RunAsync([.. _host.Client(client), .. words], steps);

    /// <summary>The stock client takes leaving an exec or an attach for an error of its own; leaving a run is none.</summary>
    private static int LeftCode(string client) => client == "docker" ? 1 : 0;

    [Fact]
    public async Task A_container_at_a_terminal_has_its_size_is_left_by_its_keys_and_taken_up_again()
    {
        foreach (var client in Clients)
        {
            var left = await AtTerminalAsync(
                client, ["run", "-it", "--name", "term", "-h", "box", "busybox", "sh"],
                Expect("# "), Type("stty size; tty; echo at $HOSTNAME $TERM\n"), Expect("33 101"), Expect("/dev/pts/0"), Expect("at box xterm"),
                Resize(40, 120), Type("while [ \"$(stty size)\" != '40 120' ]; do sleep 0.1; done; echo larg''er\n"), Expect("larger"),
                Type("\u0010\u0011"));
            Assert.True(left.ExitCode == 0, $"{left}");
            Assert.Equal("true\n", (await _host.ClientAsync(client, null, "inspect", "--format", "{{.State.Running}}", "term")).Output);
            var again = await AtTerminalAsync(client, ["attach", "--detach-keys", "a,b", "term"], Type("echo aga''in\n"), Expect("again"), Type("ab"));
            Assert.True(again.ExitCode == LeftCode(client), $"{again}");
            var ended = await AtTerminalAsync(client, ["attach", "term"], Type("echo be''fore; exit 5\n"), Expect("before"));
            Assert.True(ended.ExitCode == 5, $"{ended}");
            var anew = await AtTerminalAsync(client, ["start", "-ai", "term"], Type("echo an''ew; exit 6\n"), Expect("anew"));
            Assert.True(anew.ExitCode == 6, $"{anew}");
            (await _host.DockerAsync("rm", "term")).Succeeded();
        }
    }

    [Fact]
    public async Task An_exec_at_a_terminal_has_its_size_and_runs_on_when_it_is_left()
    {
        (await _host.OrchAsync("run", "-d", "--name", "box", "--init", "busybox", "sleep", "1000")).Succeeded();
        foreach (var client in Clients)
        {
            var ran = await AtTerminalAsync(
                client, ["exec", "-it", "box", "sh"],
                Expect("# "), Type("stty size; tty\n"), Expect("33 101"), Expect("/dev/pts/"), Resize(50, 90),
                Type("while [ \"$(stty size)\" != '50 90' ]; do sleep 0.1; done; echo larg''er; exit 8\n"), Expect("larger"));
            Assert.True(ran.ExitCode == 8, $"{ran}");
            var left = await AtTerminalAsync(
                client, ["exec", "-it", "--detach-keys", "ctrl-x,x", "box", "sh", "-c", $"echo up; while [ ! -e /tmp/{client} ]; do sleep 0.1; done; touch /tmp/{client}-saw"],
                Expect("up"), Type("\u0018x"));
            Assert.True(left.ExitCode == LeftCode(client), $"{left}");
            (await _host.DockerAsync("exec", "box", "touch", $"/tmp/{client}")).Succeeded();
            await Shell.EventuallyAsync(
                "what the program that was left does", () => _host.DockerAsync("exec", "box", "ls", "/tmp"), r => r.Output.Contains($"{client}-saw", StringComparison.Ordinal));
            var interrupted = await AtTerminalAsync(client, ["exec", "-it", "box", "sh", "-c", "echo up; sleep 1000"], Expect("up"), Type("\u0003"));
            Assert.True(interrupted.ExitCode == 130, $"{interrupted}");
        }

        var refused = await _host.OrchAsync("exec", "-it", "box", "sh");
        Assert.True(refused.ExitCode == 1 && refused.Error.Contains("is not a TTY", StringComparison.Ordinal), $"{refused}");
        Assert.Contains("Invalid detach keys (ctrl-1) provided", (await _host.OrchAsync("exec", "--detach-keys", "ctrl-1", "box", "sh")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_keys_are_seen_by_the_daemon_when_the_client_does_not_look_for_them()
    {
        (await _host.OrchAsync("run", "-dit", "--name", "box", "busybox", "sh")).Succeeded();
        // A client of the plainest kind: the head of a request, then keys.
        const string plain = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
            + "s.sendall(b'POST /containers/box/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\\r\\nHost: x\\r\\nConnection: Upgrade\\r\\nUpgrade: tcp\\r\\n\\r\\n'); "
            + "s.recv(4096); s.sendall(b'\\x10'); s.sendall(b'\\x11'); s.settimeout(60)\n"
            + "while s.recv(4096): pass";
        (await Shell.RunAsync("python3", ["-c", plain, _host.Socket])).Succeeded();
        // The client asks for whole seconds only: what has just happened comes with the next.
        await Shell.EventuallyAsync(
            "its events",
            () => _host.DockerAsync("events", "--since", "10m", "--until", Shell.Now, "--filter", "event=attach", "--filter", "event=detach", "--format", "{{.Action}}"),
            r => r.Output == "attach\ndetach\n");
        Assert.Equal("true\n", (await _host.DockerAsync("inspect", "--format", "{{.State.Running}}", "box")).Output);
    }

    [Fact]
    public async Task Tasks_have_terminals_and_an_open_stdin_when_the_stack_says_so()
    {
        var file = await CliHost.WriteAsync(_host, "tty.yml", """
            services:
              shell:
                image: busybox:latest
                command: sh -c 'tty; exec sh'
                tty: true
                stdin_open: true
            """);
        (await _host.OrchAsync("stack", "deploy", "-c", file, "t")).Succeeded();
        (await _host.OrchAsync("service", "create", "--name", "plain", "--tty", "busybox", "sh", "-c", "tty; sleep 1000")).Succeeded();
        foreach (var service in (string[])["t_shell", "plain"])
            await Shell.EventuallyAsync("its terminal's name", () => _host.OrchAsync("service", "logs", "--raw", service), r => r.Output.Contains("/dev/pts/0", StringComparison.Ordinal));
        var id = (await _host.OrchAsync("ps", "-q", "--filter", "label=com.docker.swarm.service.name=t_shell")).Succeeded().Output.Trim();
        var typed = await AtTerminalAsync("docker", ["attach", id], Type("echo he''re\n"), Expect("here"), Type("\u0010\u0011"));
        Assert.Contains("here", typed.Output, StringComparison.Ordinal);
    }
}
