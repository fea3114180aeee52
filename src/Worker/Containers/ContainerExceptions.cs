using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers;

/// <summary>No container has the id, prefix or name (404).</summary>
internal sealed class ContainerNotFoundException(string reference) : Exception($"No such container: {reference}");

/// <summary>No exec has the id, or it has been forgotten (404).</summary>
internal sealed class ExecNotFoundException(string id) : Exception($"No such exec instance: {id}");

/// <summary>The container's state, or another container's name, stands in the way (409).</summary>
internal sealed class ContainerConflictException(string message) : Exception(message);

/// <summary>The container's log driver keeps nothing that could be read (501).</summary>
internal sealed class LogsNotKeptException() : Exception("configured logging driver does not support reading");

/// <summary>The request cannot become a container; every reason at once (400).</summary>
internal sealed class InvalidContainerException(IReadOnlyList<Problem> problems) : Exception(string.Join("; ", problems.Select(p => p.Message)))
{
    public IReadOnlyList<Problem> Problems { get; } = problems;

    internal InvalidContainerException(string where, string message)
        : this([new Problem(where, message)])
    {
    }
}

/// <summary>The container's program could not be started; nothing of it runs. Docker answers 400 for codes 126 and 127, else 500.</summary>
internal sealed class ContainerStartException(string message, int exitCode, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;
}
