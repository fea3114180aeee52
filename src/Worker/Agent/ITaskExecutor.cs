using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Worker.Agent;

/// <summary>Does on the host what the agent decided. One implementation drives containers, one is the simulation's.</summary>
internal interface ITaskExecutor
{
    /// <summary>Makes the networks that tasks will stand on, whole list; others of the cluster go when nobody is on them any more.</summary>
    Task EnsureNetworksAsync(IReadOnlyList<Shared.Model.Network> networks, CancellationToken stop);

    /// <summary>Makes names and published ports the table's.</summary>
    Task ApplyEndpointsAsync(EndpointTable table, CancellationToken stop);

    /// <summary>From now on these are the secrets and configs of this node's tasks; tasks that need some wait for the first call.</summary>
    void UsePayloads(NodePayloads payloads);

    /// <summary>Gives a container of an earlier daemon its secrets and configs again; one that is not there or needs none is no error.</summary>
    Task RestoreFilesAsync(TaskAssignment task, CancellationToken stop);

    /// <summary>Checks the image and makes the task's container; doing it twice makes one.</summary>
    /// <exception cref="TaskFailedException">It cannot be made here.</exception>
    Task PrepareAsync(TaskAssignment task, CancellationToken stop);

    /// <summary>Starts the task's container once: one that runs or ran is left as it is.</summary>
    /// <exception cref="TaskFailedException">It could not be started.</exception>
    Task<TaskContainerStatus> StartAsync(TaskAssignment task, CancellationToken stop);

    /// <summary>Completes when the task's container has ended; at once when it has already, or is gone.</summary>
    Task<TaskExit> WaitAsync(TaskAssignment task, CancellationToken stop);

    /// <summary>How the task's container fares by its health check, now and at each change; ends when it is gone.</summary>
    IAsyncEnumerable<TaskHealth> WatchHealthAsync(TaskAssignment task, CancellationToken stop);

    /// <summary>Whether the task is answering somebody at this moment.</summary>
    Task<bool> IsServingAsync(TaskAssignment task, CancellationToken stop);

    /// <summary>Stops the container with the task's signal and grace; one that does not run is no error.</summary>
    Task<TaskContainerStatus?> StopAsync(TaskAssignment task, CancellationToken stop);

    /// <summary>Removes the container and all it wrote; one that is not there is no error.</summary>
    Task RemoveAsync(TaskAssignment task, CancellationToken stop);

    /// <summary>Removes containers of tasks that are none of these: of an earlier membership, or of a memory that was lost.</summary>
    Task RemoveStraysAsync(IReadOnlySet<TaskId> known, CancellationToken stop);

    /// <summary>Removes networks that are no longer wanted and free of endpoints.</summary>
    Task PruneNetworksAsync(CancellationToken stop);
}

/// <summary>How a task's container ended.</summary>
internal sealed record TaskExit
{
    public required TaskContainerStatus Container { get; init; }
    public bool OutOfMemory { get; init; }

    /// <summary>Set when the exit code is not known, or the container was taken away: why.</summary>
    public string? Unknown { get; init; }
}

internal enum HealthState
{
    /// <summary>It has no health check: it is taken for healthy.</summary>
    Unchecked,
    Starting,
    Healthy,
    Unhealthy,
}

/// <param name="Complaint">What the last probe printed when it failed; null when it did not.</param>
internal sealed record TaskHealth(HealthState State, string? Complaint)
{
    internal static TaskHealth Unchecked { get; } = new(HealthState.Unchecked, null);
}

/// <summary>A task cannot go on; the message is the sentence that <c>service ps</c> shows.</summary>
internal sealed class TaskFailedException(string message, Exception? inner = null) : Exception(message, inner)
{
    public TaskContainerStatus? Container { get; init; }
}
