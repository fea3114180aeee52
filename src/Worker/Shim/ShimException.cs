namespace Orchestrator.Worker.Shim;

/// <summary>The shim refused or failed an operation, or could not be reached; the message names the operation and subject.</summary>
internal sealed class ShimException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The shim that was asked is gone, and whether it did what it was asked is not known.</summary>
    internal bool Lost { get; init; }
}
