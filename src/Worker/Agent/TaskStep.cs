using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Agent;

/// <summary>What an agent does next for a task.</summary>
internal enum TaskWork
{
    /// <summary>Nothing until something changes.</summary>
    Rest,

    /// <summary>Say that the task was taken.</summary>
    Accept,

    /// <summary>Say that its preparation begins.</summary>
    BeginPreparing,

    /// <summary>Check the image and make the container.</summary>
    Prepare,

    /// <summary>Say that its start begins.</summary>
    BeginStarting,

    /// <summary>Start the container.</summary>
    Start,

    /// <summary>Wait for the container's end and for news of its health.</summary>
    Watch,

    /// <summary>Say that it runs: it was started, and is healthy if that is checked.</summary>
    Run,

    /// <summary>It is unhealthy: stop the container, which ends the task as failed.</summary>
    Fail,

    /// <summary>Stop the container, which ends the task as shut down.</summary>
    Stop,

    /// <summary>Remove the container and forget the task.</summary>
    Remove,
}

/// <summary>What a runner knows of its task's container.</summary>
/// <param name="Started">Its container was started.</param>
/// <param name="Watched">Its end and its health are waited for.</param>
/// <param name="Health">What its health check says.</param>
internal readonly record struct TaskSight(bool Started, bool Watched, HealthState Health);

/// <summary>One transition of a task at a time, from what is desired and what is.</summary>
internal static class TaskStep
{
    internal static TaskWork Next(TaskState desired, TaskState observed, TaskSight seen)
    {
        if (observed.IsTerminal())
            return desired == TaskState.Remove ? TaskWork.Remove : TaskWork.Rest;
        if (desired >= TaskState.Shutdown)
            return TaskWork.Stop;
        return observed switch
        {
            <= TaskState.Assigned => TaskWork.Accept,
            TaskState.Accepted => TaskWork.BeginPreparing,
            TaskState.Preparing => TaskWork.Prepare,
            // A task that is to be ready only waits for its turn: the one it replaces must go first.
            TaskState.Ready => desired >= TaskState.Running ? TaskWork.BeginStarting : TaskWork.Rest,
            TaskState.Starting when !seen.Started => TaskWork.Start,
            TaskState.Starting or TaskState.Running when !seen.Watched => TaskWork.Watch,
            TaskState.Starting or TaskState.Running when seen.Health == HealthState.Unhealthy => TaskWork.Fail,
            TaskState.Starting when seen.Health is HealthState.Healthy or HealthState.Unchecked => TaskWork.Run,
            TaskState.Starting or TaskState.Running => TaskWork.Rest,
            _ => throw new System.Diagnostics.UnreachableException($"a task cannot be {observed} and not ended"),
        };
    }
}
