using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Tests.Integration.Hosts;
using Orchestrator.Tests.Integration.Runtime;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Shim;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Integration.Recovery;

/// <summary>Containers that somebody talks to, over the death and the upgrade of their shim.</summary>
[Collection("hosts")]
public sealed class InputTests
{
    private const string Echo = "while read line; do echo got $line; done; echo end; exit 3";

    [Fact]
    public async Task A_terminal_is_not_hung_up_and_a_stdin_does_not_end_when_the_shim_is_killed_or_upgraded()
    {
        RuntimeHost.NeedRoot();
        var instance = $"orch-in-{Environment.ProcessId}";
        var root = $"/tmp/{instance}-run";
        await using var daemon = new ShimProcess(
            new ShimCommand { Arguments = [Path.Combine(AppContext.BaseDirectory, "orch"), "shim", "--exec-root", root], ExecRoot = root, CgroupPath = $"/{instance}/shim" },
            NullLogger.Instance);
        var keep = new Safekeeping(root, NullLogger.Instance);
        daemon.Inputs = keep.Inputs;
        await using (var host = new RuntimeHost(_ => new ShimRuntime(daemon, keep)))
        {
            var stdin = await host.StartAsync(host.Shell("stdin", Echo) with { OpenStdin = true });
            var shell = host.Shell("terminal", Echo);
            var terminal = await host.StartAsync(shell with { Spec = shell.Spec with { Process = shell.Spec.Process with { Terminal = true } }, OpenStdin = true });
            await Shell.EventuallyAsync("both held", () => Task.FromResult(Held(keep)), count => count == 2);
            await SayAsync(host, "stdin", "one");
            await SayAsync(host, "terminal", "one");

            await HostWorld.KillAsync((await IdentityAsync(root)).Pid);

            var listed = await host.Runtime.ListAsync(CancellationToken.None);
            Assert.Equal([stdin.Pid, terminal.Pid], listed.OrderBy(c => c.Id).Select(c => c.Pid));
            Assert.All(listed, c => Assert.Null(c.Exit));
            await Shell.EventuallyAsync("both held again", () => Task.FromResult(Held(keep)), count => count == 2);
            await SayAsync(host, "stdin", "two");
            await SayAsync(host, "terminal", "two");
            var shim = await IdentityAsync(root);

            await daemon.UpgradeAsync(CancellationToken.None);

            Assert.Equal(shim.Pid, (await IdentityAsync(root)).Pid);
            await SayAsync(host, "terminal", "three");
            await using (var exec = await host.Runtime.ExecAsync(
                "terminal", new ExecLaunch { ExecId = "exec", Process = new OciProcess { Args = ["sh", "-c", "exit 5"], Env = ["PATH=/bin"] } }, CancellationToken.None))
                Assert.Equal(5, (await exec.Ended.WaitAsync(TimeSpan.FromSeconds(20))).ExitCode);
            await SayAsync(host, "stdin", "three");
            await host.Runtime.SignalAsync("stdin", 9, CancellationToken.None);
            Assert.Equal(137, (await host.ExitAsync("stdin")).ExitCode);
            Assert.Equal(["got one", "got two", "got three"], host.Output("stdin"));
            Assert.Equal(
                ["one", "got one", "two", "got two", "three", "got three"],
                host.Output("terminal").Select(line => line.TrimEnd('\r')));
        }
        await keep.DisposeAsync();
        await daemon.ShutdownAsync(CancellationToken.None);
        Directory.Delete(root, recursive: true);
    }

    private static async Task SayAsync(RuntimeHost host, string id, string word)
    {
        await using var session = await host.Runtime.AttachAsync(id, CancellationToken.None);
        await session.Input!.WriteAsync(Encoding.UTF8.GetBytes(word + "\n"));
        await Shell.EventuallyAsync($"an answer to {word}", () => Task.FromResult(host.Output(id)), o => o.Any(l => l.TrimEnd('\r') == $"got {word}"));
    }

    private static int Held(Safekeeping keep)
    {
        var held = keep.Inputs();
        foreach (var (_, file) in held)
            file.Dispose();
        return held.Count;
    }

    private static async Task<ShimIdentity> IdentityAsync(string root)
    {
        var (connection, shim) = (await ShimProcess.FindAsync(root, CancellationToken.None))!.Value;
        await connection.DisposeAsync();
        return shim;
    }
}
