using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Containers.Creation;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary><c>orch run</c> and <c>orch create</c>.</summary>
internal static class RunCommand
{
    /// <summary>Docker's exit code when it is the daemon or the command line that failed, not the program.</summary>
    private const int NotStarted = 125;

    internal static Command Create(Shell shell)
    {
        var flags = new RunFlags();
        return new Command("create", "Create a new container").Does(shell, flags.All, async (call, stop) =>
        {
            await call.Shell.Out.WriteLineAsync(await call.CreateAsync(flags.Read(call, detached: false), stop));
            return 0;
        });
    }

    internal static Command Run(Shell shell)
    {
        var flags = new RunFlags();
        var detach = Flags.Switch("--detach", "Run container in background and print container ID", "-d");
        var proxy = new Option<bool>("--sig-proxy") { Description = "Proxy received signals to the process", DefaultValueFactory = _ => true };
        var keys = Flags.Text("--detach-keys", "Override the key sequence for detaching a container");
        return new Command("run", "Create and run a new container from an image").Does(shell, [detach, proxy, keys, .. flags.All], async (call, stop) =>
        {
            try
            {
                var request = flags.Read(call, call.Get(detach));
                if (call.Get(detach) && request.Attached.Any)
                    throw new CommandException("Conflicting options: -a and -d");
                if (request.Attached.Stdin)
                    Seating.CheckTerminal(call.Shell, flags.Tty(call));
                var seat = new Seating
                {
                    Streams = request.Attached,
                    Tty = flags.Tty(call),
                    Keys = Seating.ReadKeys(call.Get(keys)),
                    KeysText = call.Get(keys),
                    Proxies = call.Get(proxy),
                    Removed = flags.Removes(call),
                };
                var id = await call.CreateAsync(request, stop);
                if (request.Attached.Any)
                    return await seat.StartAsync(call, id, stop);
                await Seating.BeginAsync(call, id, stop);
                await call.Shell.Out.WriteLineAsync(id);
                return 0;
            }
            catch (EngineException e)
            {
                throw new CommandException(CommandLine.Words(e), Code(e.Message));
            }
            catch (CommandException e) when (e.ExitCode == 1)
            {
                throw new CommandException(e.Message, NotStarted);
            }
        });
    }

    /// <summary>127: there is no such program; 126: it cannot be executed. As in docker, the words of the failed start tell.</summary>
    internal static int Code(string message) =>
        message.Contains("executable file not found", StringComparison.Ordinal) || message.Contains("no such file or directory", StringComparison.Ordinal) ? 127
        : message.Contains("permission denied", StringComparison.Ordinal) || message.Contains("exec format error", StringComparison.Ordinal) || message.Contains("is a directory", StringComparison.Ordinal) ? 126
        : NotStarted;
}
