using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Spec;
using static Orchestrator.Tests.Integration.Runtime.ExecHost;

namespace Orchestrator.Tests.Integration.Runtime;

public sealed class TerminalTests
{
    public TerminalTests() => RuntimeHost.NeedRoot();

    [Fact]
    public async Task An_exec_on_a_terminal_sees_its_size_and_later_sizes()
    {
        await using var host = new RuntimeHost();
        await host.IdleAsync("c");
        await using var session = await host.Runtime.ExecAsync("c", OnTerminal(ExecShell("tty; stty size; read x; stty size; echo got $x >&2")) with { Console = new ConsoleSize(33, 101) }, CancellationToken.None);
        Assert.Null(session.Error);
        Assert.Matches("^/dev/pts/[0-9]+\r\n33 101\r\n$", await session.Output!.ReadUntilAsync("33 101\r\n"));
        await session.ResizeAsync(44, 132);
        await session.Input.SayAsync("word\n");
        Assert.Contains("44 132\r\ngot word\r\n", await ReadAsync(session.Output).WaitAsync(Deadline));
        Assert.Equal(0, (await session.Ended.WaitAsync(Deadline)).ExitCode);
        await session.ResizeAsync(1, 1);
    }

    [Fact]
    public async Task Keys_become_signals_and_a_user_owns_his_terminal()
    {
        await using var host = new RuntimeHost();
        await host.IdleAsync("c");
        var launch = OnTerminal(ExecShell("trap 'echo interrupted; exit 5' INT; stat -c %u:%g $(tty); while true; do sleep 0.05; done"));
        await using var session = await host.Runtime.ExecAsync(
            "c", launch with { Process = launch.Process with { User = new OciUser { Uid = 1000, Gid = 1000 } } }, CancellationToken.None);
        await session.Output!.ReadUntilAsync("1000:5\r\n");
        await session.Input.SayAsync("\x3");
        await session.Output!.ReadUntilAsync("interrupted");
        Assert.Equal(5, (await session.Ended.WaitAsync(Deadline)).ExitCode);
    }

    [Fact]
    public async Task Whoever_lets_go_of_the_terminal_hangs_its_session_up()
    {
        await using var host = new RuntimeHost();
        await host.IdleAsync("c");
        var session = await host.Runtime.ExecAsync("c", OnTerminal(Exec("sleep", "1000")), CancellationToken.None);
        await session.DisposeAsync();
        Assert.Equal((129, 1), ((await session.Ended.WaitAsync(Deadline)).ExitCode, (await session.Ended).Signal));
    }

    internal static ExecLaunch OnTerminal(ExecLaunch launch) => launch with { Stdin = true, Process = launch.Process with { Terminal = true } };
}
