using System.CommandLine;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary><c>orch lab …</c>: a cluster of several hosts on one machine, for learning and for tests.</summary>
internal static class LabCommands
{
    internal static Command Create(Shell shell) => Flags.Group(
        "lab", "Raise a cluster of hosts on this machine, and do to them what happens to machines",
        LabUpCommand.Up(shell), LabUpCommand.Down(shell), LabLookCommands.List(shell), LabExecCommand.Create(shell), LabLookCommands.Env(shell),
        LabPowerCommands.Cut(shell), LabPowerCommands.Heal(shell), LabPowerCommands.Stop(shell), LabPowerCommands.Start(shell), LabPowerCommands.Restart(shell),
        LabLookCommands.Logs(shell), LabLookCommands.Load(shell));
}
