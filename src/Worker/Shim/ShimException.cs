namespace Orchestrator.Worker.Shim;

/// <summary>The shim refused or failed an operation, or could not be reached; the message names the operation and subject.</summary>
internal sealed class ShimException(string message, Exception? inner = null) : Exception(message, inner);
