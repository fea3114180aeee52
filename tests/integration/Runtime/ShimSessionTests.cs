using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Shim;
using static Orchestrator.Tests.Integration.Runtime.ExecHost;

namespace Orchestrator.Tests.Integration.Runtime;

/// <summary>Execs and sessions whose stdio crosses the shim's socket, and daemons that go away under them.</summary>
public sealed class ShimSessionTests
{
    private static int counter;

    public ShimSessionTests() => RuntimeHost.NeedRoot();

    [Fact]
    public async Task Execs_and_sessions_work_over_the_socket()
    {
        await using var shim = await OwnShim.StartAsync();
        await using var host = new RuntimeHost(_ => shim.Connect());
        await host.StartAsync(host.Shell("c", "cat") with { OpenStdin = true });
        Assert.Equal((3, "out\n", "wrong\n"), await host.Runtime.RunExecAsync("c", ExecShell("echo out; echo wrong >&2; exit 3")));
        var refusal = await Assert.ThrowsAsync<RuntimeException>(() => host.Runtime.ExecAsync("c", Exec("nowhere"), CancellationToken.None));
        Assert.Equal(127, refusal.ExitCode);
        Assert.Contains("executable file not found in $PATH: unknown", refusal.Message);

        await using (var terminal = await host.Runtime.ExecAsync("c", TerminalTests.OnTerminal(ExecShell("read x; stty size")), CancellationToken.None))
        {
            await terminal.ResizeAsync(31, 77);
            await terminal.Input.SayAsync("\n");
            await terminal.Output!.ReadUntilAsync("31 77\r\n");
        }
        await using (var waits = await host.Runtime.ExecAsync("c", Exec("sleep", "1000"), CancellationToken.None))
        {
            await waits.SignalAsync(15);
            Assert.Equal(143, (await waits.Ended.WaitAsync(Deadline)).ExitCode);
        }
        await using (var session = await host.Runtime.AttachAsync("c", CancellationToken.None))
        {
            await session.Input.SayAsync("echoed\n");
            Assert.Equal("echoed\n", await session.Output.ReadUntilAsync("echoed\n"));
        }
        await Parallel.ForEachAsync(Enumerable.Range(0, 60), new ParallelOptions { MaxDegreeOfParallelism = 12 }, async (n, _) =>
            Assert.Equal((n, $"{n}\n", ""), await host.Runtime.RunExecAsync("c", ExecShell($"echo {n}; exit {n}"))));
    }

    [Fact]
    public async Task A_daemon_that_goes_ends_what_its_execs_wait_for_and_the_next_one_execs_in_the_same_container()
    {
        await using var shim = await OwnShim.StartAsync();
        await using var host = new RuntimeHost(_ => shim.Connect());
        await host.StartAsync(host.Shell("c", "while [ ! -e /go ]; do sleep 0.02; done; exit 4"));
        var first = shim.Connect();
        // One reads, one writes, one needs neither and goes on.
        await first.ExecAsync("c", ExecShell("cat; touch /read-the-end") with { Stdin = true }, CancellationToken.None);
        await first.ExecAsync("c", ExecShell("trap 'touch /could-not-write' PIPE; while [ ! -e /could-not-write ]; do echo x; sleep 0.05; done"), CancellationToken.None);
        var waited = await first.ExecAsync("c", ExecShell("while [ ! -e /tell ]; do sleep 0.02; done; touch /told"), CancellationToken.None);
        await first.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => waited.Ended.WaitAsync(Deadline));

        await ExistsAsync("/read-the-end");
        Assert.Equal(0, (await host.Runtime.RunExecAsync("c", Exec("touch", "/tell"))).Code);
        await ExistsAsync("/told");
        Assert.Equal(0, (await host.Runtime.RunExecAsync("c", Exec("touch", "/go"))).Code);
        Assert.Equal(4, (await host.ExitAsync("c")).ExitCode);

        async Task ExistsAsync(string path)
        {
            using var deadline = new CancellationTokenSource(Deadline);
            while ((await host.Runtime.RunExecAsync("c", Exec("ls", path))).Code != 0)
                deadline.Token.ThrowIfCancellationRequested();
        }
    }

    [Fact]
    public async Task A_container_on_a_terminal_outlives_its_sessions_daemon()
    {
        await using var shim = await OwnShim.StartAsync();
        await using var host = new RuntimeHost(_ => shim.Connect());
        var first = shim.Connect();
        var session = await first.AttachAsync("c", CancellationToken.None);
        var request = host.Shell("c", "read x; echo one $x; read x; echo two $x; exit 4") with { Console = new ConsoleSize(25, 80) };
        await host.StartAsync(request with { Spec = request.Spec with { Process = request.Spec.Process with { Terminal = true } } });
        await session.Input.SayAsync("a\n");
        await session.Output.ReadUntilAsync("one a\r\n");
        await first.DisposeAsync();
        await using var again = await host.Runtime.AttachAsync("c", CancellationToken.None);
        await again.Input.SayAsync("b\n");
        await again.Output.ReadUntilAsync("two b\r\n");
        Assert.Equal(4, (await host.ExitAsync("c")).ExitCode);
    }

    [Fact]
    public async Task What_keeps_a_container_alive_without_its_shim_can_be_held_until_its_input_ends()
    {
        await using var shim = await OwnShim.StartAsync();
        await using var host = new RuntimeHost(_ => shim.Connect());
        var runtime = (ShimRuntime)host.Runtime;
        await host.StartAsync(host.Shell("c", "cat; exit 4") with { OpenStdin = true, StdinOnce = true });
        await using var held = runtime.HoldInputAsync("c", CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await held.MoveNextAsync());
        using var writer = held.Current;
        Assert.False(writer.IsInvalid);
        var released = held.MoveNextAsync().AsTask();
        await using (var session = await runtime.AttachAsync("c", CancellationToken.None))
            await session.CloseInputAsync();
        Assert.False(await released.WaitAsync(Deadline));
        writer.Dispose();
        Assert.Equal(4, (await host.ExitAsync("c")).ExitCode);
    }

    /// <summary>A shim of the test's own; every connection is a daemon.</summary>
    private sealed class OwnShim : IAsyncDisposable
    {
        private readonly string instance = $"orch-session-{Environment.ProcessId}-{Interlocked.Increment(ref counter)}";
        private readonly List<ShimRuntime> made = [];
        private readonly ShimProcess parent;

        private OwnShim() => parent = Process();

        private string ExecRoot => $"/tmp/{instance}-run";

        internal static async Task<OwnShim> StartAsync()
        {
            var shim = new OwnShim();
            await shim.parent.EnsureAsync(CancellationToken.None);
            return shim;
        }

        internal ShimRuntime Connect()
        {
            made.Add(new ShimRuntime(Process()));
            return made[^1];
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var runtime in made)
                await runtime.DisposeAsync();
            await parent.ShutdownAsync(CancellationToken.None); // its parent waits until it has cleaned up
            await parent.DisposeAsync();
            Directory.Delete(ExecRoot, recursive: true);
        }

        private ShimProcess Process() => new(
            new ShimCommand
            {
                Arguments = [Path.Combine(AppContext.BaseDirectory, "orch"), "shim", "--exec-root", ExecRoot],
                ExecRoot = ExecRoot,
                CgroupPath = $"/{instance}/shim",
            },
            NullLogger.Instance);
    }
}
