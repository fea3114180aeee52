namespace Orchestrator.Shared.Protocol;

/// <summary>What a worker's agent says to a manager: a session with assignments, heartbeats, and status of its tasks.</summary>
/// <remarks>Spoken over gRPC between nodes, in process in the simulation.</remarks>
public interface IDispatcher
{
    /// <summary>
    /// Opens the node's session. The first message is a whole set (<see cref="Assignments.Complete"/>), the later ones are changes.
    /// The stream ends when the session does: the agent opens a new one, and keeps running what it has meanwhile.
    /// </summary>
    IAsyncEnumerable<Assignments> SessionAsync(SessionRequest request, CancellationToken stop);

    /// <summary>Keeps the session alive; the reply says how long until the next one.</summary>
    Task<HeartbeatReply> HeartbeatAsync(HeartbeatRequest request, CancellationToken stop);

    /// <summary>Reports observed states of the node's own tasks. Completes when the cluster has them durably.</summary>
    Task<TaskStatusReply> ReportAsync(TaskStatusReport report, CancellationToken stop);
}
