using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Swarms;

/// <summary><c>orch swarm unlock</c> and <c>orch swarm unlock-key</c></summary>
internal static class UnlockCommands
{
    internal static Command Unlock(Shell shell) => new Command("unlock", "Unlock the cluster on this manager").Does(shell, [], async (call, stop) =>
    {
        var info = await call.Client.GetAsync<InfoReply>("/info", stop);
        if (info.Swarm.LocalNodeState == "inactive")
            throw new CommandException("this node is not part of a swarm");
        if (info.Swarm.LocalNodeState != "locked")
            throw new CommandException("swarm is not locked");
        var key = await ReadAsync(call, stop);
        await call.Client.SendAsync(HttpMethod.Post, "/swarm/unlock", new SwarmUnlockRequest { UnlockKey = key }, stop);
        return 0;
    });

    internal static Command Key(Shell shell)
    {
        var rotate = Flags.Switch("--rotate", "Rotate unlock key");
        var quiet = Flags.Quiet("Only display token");
        return new Command("unlock-key", "Manage the unlock key").Does(shell, [rotate, quiet], async (call, stop) =>
        {
            if (call.Get(rotate))
            {
                var swarm = await call.Client.GetAsync<Swarm>("/swarm", stop);
                if (!swarm.Spec.EncryptionConfig.AutoLockManagers)
                    throw new CommandException("cannot rotate because autolock is not turned on: turn it on with \"orch swarm update --autolock\"");
                await call.Client.SendAsync(
                    HttpMethod.Post, EngineClient.Query("/swarm/update", ("version", $"{swarm.Version.Index}"), ("rotateManagerUnlockKey", "true")), swarm.Spec, stop);
                if (!call.Get(quiet))
                    await call.Shell.Out.WriteLineAsync("Successfully rotated manager unlock key.\n");
            }

            if (call.Get(quiet))
                await call.Shell.Out.WriteLineAsync(await GetAsync(call, stop));
            else
                await ExplainAsync(call, stop);
            return 0;
        });
    }

    internal static async Task ExplainAsync(Invocation call, CancellationToken stop) => await call.Shell.Out.WriteLineAsync(
        $"To unlock a swarm manager after it restarts, run the `orch swarm unlock`\ncommand and provide the following key:\n\n    {await GetAsync(call, stop)}\n\n"
        + "Remember to store this key in a password manager, since without it you\nwill not be able to restart the manager.");

    private static async Task<string> GetAsync(Invocation call, CancellationToken stop) =>
        (await call.Client.GetAsync<UnlockKeyReply>("/swarm/unlockkey", stop)).UnlockKey is { Length: > 0 } key
            ? key
            : throw new CommandException("no unlock key is set");

    /// <summary>From standard input; a terminal is asked, and does not show what is typed.</summary>
    private static async Task<string> ReadAsync(Invocation call, CancellationToken stop)
    {
        if (call.Shell.InputIsTerminal)
        {
            await call.Shell.Error.WriteAsync("Please enter unlock key: ");
            var typed = new System.Text.StringBuilder();
            while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
            {
                if (key.Key == ConsoleKey.Backspace)
                    typed.Length = Math.Max(0, typed.Length - 1);
                else if (!char.IsControl(key.KeyChar))
                    typed.Append(key.KeyChar);
            }

            await call.Shell.Error.WriteLineAsync();
            return typed.ToString().Trim();
        }

        using var input = new StreamReader(call.Shell.OpenInput());
        return (await input.ReadLineAsync(stop))?.Trim() ?? "";
    }
}
