using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Client;

/// <summary>The daemon refused or failed a request.</summary>
internal sealed class EngineException(int status, string message, IReadOnlyList<Problem> problems) : Exception(message)
{
    internal int Status { get; } = status;

    /// <summary>Every problem of a refused stack; empty for other errors.</summary>
    internal IReadOnlyList<Problem> Problems { get; } = problems;
}

/// <summary>No daemon answered; the message says which socket was tried, why that one, and how to start one.</summary>
internal sealed class EngineUnreachableException(string message, Exception? inner = null) : Exception(message, inner);
