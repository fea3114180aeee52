using Orchestrator.Shared.Model;
using Orchestrator.Worker.Agent;

namespace Orchestrator.Tests.Unit.Worker.Agent;

public sealed class TaskStepTests
{
    [Theory]
    [InlineData(TaskState.Running, TaskState.Assigned, TaskWork.Accept)]
    [InlineData(TaskState.Running, TaskState.Accepted, TaskWork.BeginPreparing)]
    [InlineData(TaskState.Running, TaskState.Preparing, TaskWork.Prepare)]
    [InlineData(TaskState.Running, TaskState.Ready, TaskWork.BeginStarting)]
    [InlineData(TaskState.Ready, TaskState.Preparing, TaskWork.Prepare)]
    [InlineData(TaskState.Ready, TaskState.Ready, TaskWork.Rest)]
    [InlineData(TaskState.Running, TaskState.Starting, TaskWork.Start)]
    [InlineData(TaskState.Running, TaskState.Running, TaskWork.Watch)]
    [InlineData(TaskState.Shutdown, TaskState.Starting, TaskWork.Stop)]
    [InlineData(TaskState.Shutdown, TaskState.Assigned, TaskWork.Stop)]
    [InlineData(TaskState.Shutdown, TaskState.Running, TaskWork.Stop)]
    [InlineData(TaskState.Shutdown, TaskState.Failed, TaskWork.Rest)]
    [InlineData(TaskState.Running, TaskState.Complete, TaskWork.Rest)]
    [InlineData(TaskState.Remove, TaskState.Running, TaskWork.Stop)]
    [InlineData(TaskState.Remove, TaskState.Shutdown, TaskWork.Remove)]
    public void The_next_step_follows_from_what_is_and_what_is_desired(TaskState desired, TaskState observed, object work) =>
        Assert.Equal((TaskWork)work, TaskStep.Next(desired, observed, default));

    [Theory]
    [InlineData(TaskState.Starting, HealthState.Unchecked, TaskWork.Run)]
    [InlineData(TaskState.Starting, HealthState.Starting, TaskWork.Rest)]
    [InlineData(TaskState.Starting, HealthState.Healthy, TaskWork.Run)]
    [InlineData(TaskState.Starting, HealthState.Unhealthy, TaskWork.Fail)]
    [InlineData(TaskState.Running, HealthState.Unchecked, TaskWork.Rest)]
    [InlineData(TaskState.Running, HealthState.Healthy, TaskWork.Rest)]
    [InlineData(TaskState.Running, HealthState.Unhealthy, TaskWork.Fail)]
    public void A_started_task_runs_when_it_is_healthy_and_fails_when_it_is_not(TaskState observed, object health, object work)
    {
        Assert.Equal(TaskWork.Watch, TaskStep.Next(TaskState.Running, observed, new TaskSight(true, false, (HealthState)health)));
        Assert.Equal((TaskWork)work, TaskStep.Next(TaskState.Running, observed, new TaskSight(true, true, (HealthState)health)));
    }

    [Theory]
    [InlineData(0, false, null, TaskState.Complete, null)]
    [InlineData(1, false, null, TaskState.Failed, "task: non-zero exit (1)")]
    [InlineData(137, true, null, TaskState.Failed, "task: non-zero exit (137): out of memory, the limit was reached")]
    [InlineData(255, false, "lost", TaskState.Failed, "task: lost")]
    public void An_end_is_told_in_swarms_words(int code, bool oom, string? unknown, TaskState state, string? error)
    {
        var status = TaskOutcome.Of(
            new TaskExit { Container = new TaskContainerStatus { ExitCode = code }, OutOfMemory = oom, Unknown = unknown }, DateTimeOffset.UnixEpoch);
        Assert.Equal((state, error), (status.State, status.Err));
    }
}
