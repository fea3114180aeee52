using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Protocol;

/// <summary>Reads what a task wrote, wherever its host is. On the task's own host it is read from its container's log.</summary>
public interface ITaskLogs
{
    /// <summary>Yields records in order of time; follows until cancelled or the task's log has ended when asked to.</summary>
    /// <exception cref="NodeSilentException">From the enumeration: the task's node does not answer, or broke off.</exception>
    IAsyncEnumerable<LogRecord> ReadAsync(ServiceTask task, LogQuery query, CancellationToken stop);
}

/// <summary>A task's node does not answer; it may later. The message is a sentence that names it.</summary>
public sealed class NodeSilentException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Which part of a log is wanted.</summary>
public sealed record LogQuery
{
    public bool Stdout { get; init; } = true;
    public bool Stderr { get; init; } = true;
    public bool Follow { get; init; }
    /// <summary>How many of the last records; null: all.</summary>
    public int? Tail { get; init; }
    public DateTimeOffset? Since { get; init; }
    public DateTimeOffset? Until { get; init; }
}

/// <summary>One write of a container, up to a line.</summary>
public sealed record LogRecord
{
    public required DateTimeOffset Time { get; init; }
    /// <summary><c>stdout</c> or <c>stderr</c>.</summary>
    public required string Stream { get; init; }
    /// <summary>The bytes with their line end, as written.</summary>
    public required ReadOnlyMemory<byte> Line { get; init; }
    /// <summary>Labels, variables and the tag that the log driver was told to note; null: none.</summary>
    public IReadOnlyDictionary<string, string>? Attributes { get; init; }
}
