namespace Orchestrator.Cli.Commands;

/// <summary>A command ends without success; the message, when there is one, is for the user as it stands.</summary>
internal sealed class CommandException(string message, int exitCode = 1) : Exception(message)
{
    internal int ExitCode { get; } = exitCode;
}
