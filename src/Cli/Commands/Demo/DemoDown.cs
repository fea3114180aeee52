using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Stacks;
using Orchestrator.Worker.Recovery;

namespace Orchestrator.Cli.Commands.Demo;

/// <summary><c>orch demo down</c>: politely while the daemon answers, then by force, until nothing of the demo is left.</summary>
internal static class DemoDown
{
    private static readonly TimeSpan Polite = TimeSpan.FromSeconds(20);

    internal static Command Create(Shell shell) => new Command("down", "Take the demo away: processes, networks, mounts, files").Does(shell, [], async (call, stop) =>
    {
        if (!Environment.IsPrivilegedProcess)
            throw new CommandException("the demo is root's: run it as root, as in: sudo ./orch demo down");
        if (!DemoHost.LeftAnything)
        {
            await shell.Out.WriteLineAsync("No demo is up.");
            return 0;
        }
        using var client = new EngineClient(new EngineAddress(DemoHost.Socket, "demo"));
        using var inside = call.With(client);
        return await RunAsync(inside, stop);
    });

    internal static async Task<int> RunAsync(Invocation call, CancellationToken stop)
    {
        if (await DemoHost.AnswersAsync(call.Client, stop))
            await LeaveAsync(call, stop);
        await new DemoHost(call.Shell.Time).StopAsync(stop);
        var left = await HostTeardown.RunAsync(DemoHost.DataRoot, DemoHost.ExecRoot, NullLoggerFactory.Instance, stop);
        foreach (var what in left)
            await call.Shell.Error.WriteLineAsync($"could not be removed: {what}");
        if (left.Count > 0)
            return 1;
        foreach (var root in (string[])[DemoHost.ExecRoot, DemoHost.DataRoot])
        {
            if (Directory.Exists(root))
                Directory.Delete(root, recursive: true);
        }
        await call.Shell.Out.WriteLineAsync("The demo is gone.");
        return 0;
    }

    /// <summary>Tasks get their grace; what does not end in time is the teardown's.</summary>
    private static async Task LeaveAsync(Invocation call, CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(Polite, call.Shell.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
        try
        {
            foreach (var change in await StackCommands.RemoveAsync(call, "hello", both.Token))
                await call.Shell.Out.WriteLineAsync($"Removing {change.Kind} {change.Name}");
            await call.Shell.Out.FlushAsync(both.Token);
            await StackCommands.GoneAsync(call, "hello", both.Token);
            await call.Client.SendAsync(HttpMethod.Post, "/swarm/leave?force=1", both.Token);
        }
        catch (EngineException e)
        {
            // No cluster, or one that is broken: the teardown does not need it.
            await call.Shell.Error.WriteLineAsync($"the daemon could not leave in order: {e.Message}");
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            await call.Shell.Error.WriteLineAsync($"the stack did not end within {Polite.TotalSeconds:F0} s; it is taken away by force");
        }
    }
}
