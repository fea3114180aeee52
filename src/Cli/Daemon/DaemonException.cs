namespace Orchestrator.Cli.Daemon;

/// <summary>Why the daemon cannot run here, in a sentence for the operator.</summary>
internal sealed class DaemonException(string message, Exception? inner = null) : Exception(message, inner);
