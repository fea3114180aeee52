namespace Orchestrator.Worker.Runtime;

/// <summary>A container could not be made or acted on; the message names the operation and its subject.</summary>
internal sealed class RuntimeException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>
    /// The exit code Docker reports for a failed start: 127 when the program does not exist, 126 when it cannot be executed, else 128.
    /// </summary>
    public int ExitCode { get; init; } = 128;
}
