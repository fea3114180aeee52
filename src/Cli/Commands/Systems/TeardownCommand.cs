using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Cli.Daemon;
using Orchestrator.Worker.Recovery;

namespace Orchestrator.Cli.Commands.Systems;

/// <summary><c>orch system teardown</c>: takes one instance off this host, after its daemon has ended, and its two roots with it.</summary>
internal static class TeardownCommand
{
    internal static Command Group(Shell shell) => Flags.Group("system", "Manage orch on this host", DiskUsage.Create(shell), SystemPrune.Create(shell), Create(shell), SystemCommands.Info(shell), SystemCommands.Events(shell), CheckCommand.Create(shell), CertificatesCommand.Create(shell));

    private static Command Create(Shell shell)
    {
        var dataRoot = Flags.Text("--data-root", $"The instance's (default {DaemonOptions.DefaultDataRoot})", "path");
        var execRoot = Flags.Text("--exec-root", $"The instance's (default {DaemonOptions.DefaultExecRoot})", "path");
        var yes = Flags.Switch("--yes", "Do it: nothing of the instance can be brought back", "-y");
        return new Command("teardown", "Take orch off this host: containers, networks, mounts, cgroups and files").Does(
            shell, [dataRoot, execRoot, yes], (call, stop) => RunAsync(
                call,
                Path.GetFullPath(call.Get(dataRoot) ?? DaemonOptions.DefaultDataRoot, shell.Folder),
                Path.GetFullPath(call.Get(execRoot) ?? DaemonOptions.DefaultExecRoot, shell.Folder),
                call.Get(yes),
                stop));
    }

    private static async Task<int> RunAsync(Invocation call, string dataRoot, string execRoot, bool yes, CancellationToken stop)
    {
        if (!Environment.IsPrivilegedProcess)
            throw new CommandException("what orch made is root's: run it as root, as in: sudo orch system teardown");
        string[] roots = [.. new[] { execRoot, dataRoot }.Where(Directory.Exists)];
        if (roots.Length == 0)
        {
            await call.Shell.Out.WriteLineAsync($"Nothing of orch is here: there is no {dataRoot} and no {execRoot}.");
            return 0;
        }
        foreach (var root in roots)
            OursOrEmpty(root, root == dataRoot ? ["daemon.lock"] : ["shim.log", "orch.pid"]);
        if (!yes)
            throw new CommandException($"this takes away every container, network and image of the instance, and {string.Join(" and ", roots)}: say --yes to do it");

        var left = await ClearAsync(dataRoot, execRoot, stop);
        foreach (var what in left)
            await call.Shell.Error.WriteLineAsync($"could not be removed: {what}");
        if (left.Count > 0)
            return 1;
        foreach (var root in (string[])[execRoot, dataRoot])
            Directory.Delete(root, recursive: true);
        await call.Shell.Out.WriteLineAsync($"Removed {dataRoot} and {execRoot}.");
        return 0;
    }

    /// <summary>Holds the instance's lock meanwhile: no daemon runs over these roots, and none starts.</summary>
    private static async Task<IReadOnlyList<string>> ClearAsync(string dataRoot, string execRoot, CancellationToken stop)
    {
        Directory.CreateDirectory(dataRoot);
        Directory.CreateDirectory(execRoot);
        try
        {
            using var held = DaemonLock.Take(dataRoot, execRoot);
            return await HostTeardown.RunAsync(dataRoot, execRoot, NullLoggerFactory.Instance, stop);
        }
        catch (DaemonException e)
        {
            throw new CommandException($"nothing was removed: {e.Message}");
        }
    }

    /// <summary>A mistyped path must not cost a folder that never was orch's.</summary>
    private static void OursOrEmpty(string root, params ReadOnlySpan<string> marks)
    {
        foreach (var mark in marks)
        {
            if (File.Exists(Path.Combine(root, mark)))
                return;
        }
        if (Directory.EnumerateFileSystemEntries(root).Any())
            throw new CommandException($"{root} is not a root of orch's: there is no {marks[0]} in it; nothing was removed");
    }
}
