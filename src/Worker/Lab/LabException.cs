namespace Orchestrator.Worker.Lab;

/// <summary>Something of a lab cannot be done; the sentence is for whoever asked.</summary>
internal sealed class LabException(string message, Exception? inner = null) : Exception(message, inner)
{
    internal int ExitCode { get; init; } = 1;
}
