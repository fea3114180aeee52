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
