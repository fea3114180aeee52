namespace Orchestrator.Worker.Network;

/// <summary>A network request that this host cannot fulfil; the message is a sentence for the operator.</summary>
internal sealed class NetworkException(string message, Exception? inner = null) : Exception(message, inner);
