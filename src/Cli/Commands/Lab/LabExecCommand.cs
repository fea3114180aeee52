using System.CommandLine;
using System.Runtime.InteropServices;
using Orchestrator.Worker.Lab;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary><c>orch lab exec HOST -- COMMAND</c>: a program in a host, with our terminal, and its exit code as ours.</summary>
internal static class LabExecCommand
{
    private const int Input = 0;
    private const int Continue = 18;
    private const int TerminalStop = 20;
    private const int TerminalInput = 21;
    private const int TerminalOutput = 22;

    // signal(7): keys reach the program from the terminal itself; these come to us alone.
    private static readonly int[] Forwarded = [1, 10, 12, 15];
    private static readonly PosixSignal[] Keys = [PosixSignal.SIGINT, PosixSignal.SIGQUIT];

    internal static Command Create(Shell shell)
    {
        var flags = new LabFlags();
        var host = Flags.One("HOST");
        var words = new Argument<string[]>("COMMAND") { Arity = ArgumentArity.ZeroOrMore, Description = "A shell when there is none" };
        return new Command("exec", "Run a command in a host; 'switch' is a place outside of the cluster that reaches all hosts").Does(shell, flags.With(host, words), async (call, _) =>
        {
            var (place, state) = flags.Read(call);
            var name = call.Get(host);
            var holder = name == LabPlace.Switch ? state.Switch : state.Host(name).Holder;
            if (holder is null || !holder.Process.IsAlive)
                throw new CommandException($"{name} has no power: orch lab start {name}");
            // The guard of command words puts a -- of its own before HOST; the caller's comes after it.
            var command = call.Get(words);
            if (command is ["--", ..])
                command = command[1..];
            return await RunAsync(holder.Process, new LabGroups(place.Cgroup, shell.Time).Of(name), new LabEntry
            {
                Arguments = command.Length > 0 ? [.. command] : [shell.Environment.GetValueOrDefault("SHELL") ?? "/bin/sh"],
                Environment = LabProgram.Environment(shell.Environment),
                Folder = shell.Folder,
            }, shell);
        });
    }

    private static async Task<int> RunAsync(ProcessMark host, LabGroups groups, LabEntry entry, Shell shell)
    {
        shell.KeepsSignals = true;
        var terminal = ConsoleMode.IsTerminal(Input);
        var program = LabHost.Enter(host, groups, entry with { OwnGroup = terminal });
        var registrations = new List<PosixSignalRegistration>();
        try
        {
            foreach (var key in Keys)
                registrations.Add(PosixSignalRegistration.Create(key, context => context.Cancel = true));
            foreach (var signal in Forwarded)
            {
                registrations.Add(PosixSignalRegistration.Create((PosixSignal)signal, context =>
                {
                    context.Cancel = true;
                    PidFd.Signal(program.PidFd, signal);
                }));
            }

            if (terminal)
                ConsoleMode.GiveForeground(Input, program.Pid);
            // Waits in the kernel, on a thread that is not the pool's.
            var status = await Task.Factory.StartNew(
                () => terminal ? WaitAtTerminal(program) : PidFd.Wait(program.PidFd), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            return status.ExitCode;
        }
        finally
        {
            if (terminal)
                ConsoleMode.GiveForeground(Input, ConsoleMode.OwnGroup);
            foreach (var registration in registrations)
                registration.Dispose();
            program.PidFd.Dispose();
            shell.KeepsSignals = false;
        }
    }

    /// <summary>A program that stopped because it read before the terminal was its own goes on; ctrl-z has nobody to go back to and does the same.</summary>
    private static ChildStatus WaitAtTerminal(Worker.Runtime.Launch.LaunchedProcess program)
    {
        while (true)
        {
            var (ended, stoppedBy) = PidFd.WaitOrStop(program.PidFd);
            if (ended is { } status)
                return status;
            if (stoppedBy is TerminalStop or TerminalInput or TerminalOutput)
                PidFd.Kill(-program.Pid, Continue);
        }
    }
}
