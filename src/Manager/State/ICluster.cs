using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State;

/// <summary>The one door to the cluster's state: read a snapshot, propose a command, follow the changes.</summary>
internal interface ICluster
{
    /// <summary>The newest applied state. Read it once per turn: the next read may be another one.</summary>
    ClusterState Current { get; }

    /// <summary>
    /// Has the leader append the command to the log, and completes when it is durable on a majority and applied here.
    /// A command that Apply refuses completes too, with <see cref="Outcome.Refusal"/> set and nothing changed.
    /// </summary>
    /// <exception cref="ClusterUnavailableException">There is no leader to take it, or it stepped down before the entry was committed.</exception>
    Task<Outcome> ProposeAsync(Command command, CancellationToken stop);

    /// <summary>The state with everything in it that was acknowledged, by any manager, before the call.</summary>
    /// <exception cref="ClusterUnavailableException">There is no leader who could say so.</exception>
    Task<ClusterState> FreshAsync(CancellationToken stop);

    /// <summary>Yields every change after the call, in log order. A reader that falls behind sees <see cref="StateChange.Lagged"/> and re-reads <see cref="Current"/>.</summary>
    IAsyncEnumerable<StateChange> WatchAsync(CancellationToken stop);
}

/// <summary>What became of a command.</summary>
/// <param name="Index">The log index; the version of every object the command wrote.</param>
/// <param name="Refusal">Why nothing was changed; null when it was.</param>
/// <param name="Stack">For a stack: what was done, object by object.</param>
internal sealed record Outcome(ulong Index, Refusal? Refusal = null, StackReply? Stack = null);

internal enum RefusalKind
{
    /// <summary>HTTP 400.</summary>
    Invalid,
    /// <summary>HTTP 404.</summary>
    NotFound,
    /// <summary>HTTP 409: a name or port in use, an object still needed.</summary>
    Conflict,
    /// <summary>HTTP 500 with Docker's words "update out of sequence": the version named is not the current one.</summary>
    OutOfSequence,
}

/// <summary>A refusal that an operator can read: every problem at once.</summary>
internal sealed record Refusal(RefusalKind Kind, IReadOnlyList<Problem> Problems)
{
    internal string Message => string.Join("; ", Problems);
}

/// <summary>No manager can take the command now; the message says what to do.</summary>
internal sealed class ClusterUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

internal enum ChangeKind
{
    Created,
    Updated,
    Removed,
}

/// <summary>One object changed by one log entry; <see cref="State"/> is the state after the whole entry.</summary>
internal sealed record StateChange(ClusterState State, ChangeKind Kind, object? Before, object? After)
{
    /// <summary>True: changes were dropped for this reader, who re-reads the state.</summary>
    public bool Lagged { get; init; }
}
