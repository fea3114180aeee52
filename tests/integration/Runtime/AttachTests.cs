using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Spec;
using static Orchestrator.Tests.Integration.Runtime.ExecHost;

namespace Orchestrator.Tests.Integration.Runtime;

public sealed class AttachTests
{
    public AttachTests() => RuntimeHost.NeedRoot();

    private static LaunchRequest OnTerminal(LaunchRequest request) =>
        request with { Spec = request.Spec with { Process = request.Spec.Process with { Terminal = true } } };

    [Fact]
    public async Task A_session_from_before_the_start_sees_the_first_byte_and_the_end()
    {
        await using var host = new RuntimeHost();
        await using var session = await host.Runtime.AttachAsync("c", CancellationToken.None);
        await using var other = await host.Runtime.AttachAsync("c", CancellationToken.None);
        await host.RunAsync(host.Shell("c", "echo first; echo wrong >&2"));
        Assert.Equal("first\n", await ReadAsync(session.Output).WaitAsync(Deadline));
        Assert.Equal("wrong\n", await ReadAsync(session.Error).WaitAsync(Deadline));
        Assert.Equal("first\n", await ReadAsync(other.Output).WaitAsync(Deadline));
        Assert.Equal(["first", "stderr: wrong"], host.Output("c").Order());
        await Assert.ThrowsAsync<RuntimeException>(() => host.Runtime.AttachAsync("c", CancellationToken.None));
    }

    [Fact]
    public async Task An_open_stdin_reads_what_sessions_write_and_ends_with_the_first_when_it_is_once()
    {
        await using var host = new RuntimeHost();
        var user = new OciUser { Uid = 1000, Gid = 1000 };
        var request = host.Shell("c", "cat; echo end; exit 6") with { OpenStdin = true, StdinOnce = true };
        await host.StartAsync(request with { Spec = request.Spec with { Process = request.Spec.Process with { User = user, Capabilities = null } } });
        var watching = await host.Runtime.AttachAsync("c", CancellationToken.None);
        await watching.DisposeAsync(); // it never asked for the input
        await using var session = await host.Runtime.AttachAsync("c", CancellationToken.None);
        await session.Input.SayAsync("one\n");
        Assert.Equal("one\n", await session.Output.ReadUntilAsync("one\n"));
        await session.Input.SayAsync("two\n");
        await session.CloseInputAsync();
        Assert.Equal("two\nend\n", await ReadAsync(session.Output).WaitAsync(Deadline));
        Assert.Equal(6, (await host.ExitAsync("c")).ExitCode);
        Assert.Equal(["one", "two", "end"], host.Output("c"));
    }

    [Fact]
    public async Task An_open_stdin_that_is_not_once_stays_open_for_the_next_session()
    {
        await using var host = new RuntimeHost();
        await host.StartAsync(host.Shell("c", "while read x; do echo got $x; [ $x = two ] && exit 8; done; exit 9") with { OpenStdin = true });
        await using (var first = await host.Runtime.AttachAsync("c", CancellationToken.None))
        {
            await first.Input.SayAsync("one\n");
            await first.CloseInputAsync();
            await first.Output.ReadUntilAsync("got one\n");
        }
        await using var second = await host.Runtime.AttachAsync("c", CancellationToken.None);
        await second.Input.SayAsync("two\n");
        Assert.Equal("got two\n", await ReadAsync(second.Output).WaitAsync(Deadline));
        Assert.Equal(8, (await host.ExitAsync("c")).ExitCode);
    }

    [Fact]
    public async Task Without_an_open_stdin_there_is_no_input_and_the_program_reads_its_end()
    {
        await using var host = new RuntimeHost();
        await host.StartAsync(host.Shell("c", "cat; sleep 1000"));
        await using var session = await host.Runtime.AttachAsync("c", CancellationToken.None);
        Assert.Null(session.Input);
    }

    [Fact]
    public async Task A_container_on_a_terminal_logs_one_stream_and_sees_sizes_keys_and_its_console()
    {
        await using var host = new RuntimeHost();
        await using var session = await host.Runtime.AttachAsync("c", CancellationToken.None);
        var request = OnTerminal(host.Shell("c", "tty; stat -c %t:%T /dev/console; stty size; echo wrong >&2; read x; stty size; trap 'exit 5' INT; echo got $x; while true; do sleep 0.05; done"));
        await host.StartAsync(request with { Console = new ConsoleSize(20, 90) });
        await session.Output.ReadUntilAsync("/dev/pts/0\r\n88:0\r\n20 90\r\nwrong\r\n");
        await session.ResizeAsync(21, 91);
        await session.Input.SayAsync("word\n");
        await session.Output.ReadUntilAsync("got word\r\n");
        await session.Input.SayAsync("\x3");
        Assert.Equal(5, (await host.ExitAsync("c")).ExitCode);
        Assert.Equal("", await ReadAsync(session.Error).WaitAsync(Deadline));
        Assert.Equal(["/dev/pts/0\r", "88:0\r", "20 90\r", "wrong\r", "word\r", "21 91\r", "got word\r"], host.Output("c")[..7]);
    }

    [Fact]
    public async Task A_terminal_and_an_init_go_together_and_a_user_owns_it()
    {
        await using var host = new RuntimeHost();
        var request = OnTerminal(host.Shell("c", "stat -c %u:%g /dev/pts/0; trap 'exit 5' INT; echo ready; while true; do sleep 0.05; done") with { Init = true });
        await using var session = await host.Runtime.AttachAsync("c", CancellationToken.None);
        await host.StartAsync(request with { Spec = request.Spec with { Process = request.Spec.Process with { User = new OciUser { Uid = 1000, Gid = 1000 } } } });
        Assert.Contains("1000:5\r\n", await session.Output.ReadUntilAsync("ready\r\n"));
        await session.Input.SayAsync("\x3");
        Assert.Equal(5, (await host.ExitAsync("c")).ExitCode);
    }

    [Fact]
    public async Task A_session_that_does_not_read_holds_up_nobody_and_misses_nothing()
    {
        const int lines = 1 << 20;
        await using var host = new RuntimeHost();
        await using var slow = await host.Runtime.AttachAsync("c", CancellationToken.None);
        await using var gone = await host.Runtime.AttachAsync("c", CancellationToken.None);
        await host.StartAsync(host.Shell("c", $"yes 0123456789abcde | head -n {lines}; echo last"));
        await gone.DisposeAsync();
        Assert.Equal(0, (await host.ExitAsync("c")).ExitCode); // 16 MiB later, with nobody reading
        Assert.Equal("last", host.Output("c")[^1]);
        var all = await ReadAsync(slow.Output).WaitAsync(Deadline);
        Assert.Equal((lines * 16) + 5, all.Length);
        Assert.EndsWith("abcde\nlast\n", all);
    }

    [Fact]
    public async Task A_container_that_does_not_read_holds_up_its_session_alone()
    {
        await using var host = new RuntimeHost();
        await host.StartAsync(host.Shell("c", "read x; echo $x; sleep 1000") with { OpenStdin = true });
        await host.IdleAsync("other");
        await using var session = await host.Runtime.AttachAsync("c", CancellationToken.None);
        await session.Input.SayAsync("word\n");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            var zeros = new byte[64 * 1024];
            while (true)
                await session.Input!.WriteAsync(zeros, patience.Token);
        });
        await session.Output.ReadUntilAsync("word\n");
        Assert.Equal(0, (await host.Runtime.RunExecAsync("other", Exec("true"))).Code);
    }
}
