using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Agent;

/// <summary>The words in which a task's end is told, as Swarm's where Swarm has them.</summary>
internal static class TaskOutcome
{
    internal static ServiceTaskStatus Of(TaskExit exit, DateTimeOffset now)
    {
        var code = exit.Container.ExitCode;
        var failed = code != 0 || exit.Unknown is not null;
        return new ServiceTaskStatus
        {
            Timestamp = now,
            State = failed ? TaskState.Failed : TaskState.Complete,
            Message = failed ? "started" : "finished",
            Err = exit.Unknown is { } why ? $"task: {why}"
                : exit.OutOfMemory ? $"task: non-zero exit ({code}): out of memory, the limit was reached"
                : failed ? $"task: non-zero exit ({code})"
                : null,
            ContainerStatus = exit.Container,
        };
    }

    /// <summary>What <c>service ps</c> shows of a task whose container was found unhealthy.</summary>
    internal static string Unhealthy(TaskHealth health) => $"unhealthy container: {health.Complaint ?? "its health check failed"}";

    /// <summary>What it shows while a container's health check has not succeeded yet; null while there is nothing to tell.</summary>
    internal static string? NotYetHealthy(TaskHealth health) => health.Complaint is { } said ? $"health check: {said}" : null;

    /// <summary>A task that fails before it starts is rejected: it never was this node's.</summary>
    internal static ServiceTaskStatus Failure(TaskState during, TaskFailedException failure, DateTimeOffset now) => new()
    {
        Timestamp = now,
        State = during < TaskState.Starting ? TaskState.Rejected : TaskState.Failed,
        Message = during < TaskState.Starting ? "preparing" : "starting",
        Err = failure.Message,
        ContainerStatus = failure.Container,
    };
}
