using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Worker.Agent;

/// <summary>What the runners of one agent share.</summary>
internal sealed record TaskRunnerServices(
    ITaskExecutor Executor, StatusReporter Reporter, TaskRecords Records, LedAddresses Led, AgentOptions Options, SemaphoreSlim Slots, TimeProvider Time, ILogger Log);

/// <summary>The one owner of a task on this node: takes one step after the other towards what is desired.</summary>
internal sealed class TaskRunner(TaskRunnerServices services, TaskAssignment first)
{
    /// <summary>How long an unhealthy task waits to be taken out of the ports.</summary>
    private static readonly TimeSpan LeavePorts = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan BusyLook = TimeSpan.FromMilliseconds(10);

    /// <summary>Between two complaints of one task that is not healthy yet.</summary>
    private static readonly TimeSpan Complaints = TimeSpan.FromSeconds(5);

    private readonly Mailbox<Message> inbox = new(64, WhenFull.Wait);
    private TaskAssignment assignment = first;
    private ServiceTaskStatus status = first.Task.Status;
    private TaskState desired = first.Task.DesiredState;
    private bool drains;
    private Task? watch;
    private TaskExit? pendingExit;
    private TaskHealth health = TaskHealth.Unchecked;
    private DateTimeOffset complained;
    private bool started;
    private bool finished;

    internal TaskId Id { get; } = first.Task.Id;

    /// <summary>The addresses at which others reach the task.</summary>
    internal IReadOnlyCollection<string> Addresses { get; } = [.. first.Task.NetworksAttachments.SelectMany(a => a.Addresses).Select(a => a.Split('/')[0])];

    /// <param name="task">As the manager wants it now.</param>
    /// <param name="drainFirst">Connections were led to it until a moment ago.</param>
    /// <param name="stop">Cancels.</param>
    internal ValueTask<bool> AssignAsync(TaskAssignment task, bool drainFirst, CancellationToken stop) =>
        inbox.SendAsync(new Message(task, drainFirst, null, null, false), stop);

    /// <summary>The manager knows the task no more: its container goes.</summary>
    internal ValueTask<bool> RemoveAsync(CancellationToken stop) => inbox.SendAsync(new Message(null, false, null, null, true), stop);

    /// <summary>Runs until the task is removed from this node, or cancelled: then its container runs on.</summary>
    internal async Task RunAsync(bool adopted, CancellationToken stop)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            services.Records.Save(Current());
            if (adopted)
                await services.Reporter.TellAsync(Id, status, stop); // it may be that the last state was never acknowledged
            var attempt = 0;
            while (!finished)
            {
                if (pendingExit is { } exit && !status.State.IsTerminal())
                    await ReportAsync(TaskOutcome.Of(exit, services.Time.GetUtcNow()), stop);
                pendingExit = null;
                var work = TaskStep.Next(desired, status.State, new TaskSight(started, watch is not null, health.State));
                if (work == TaskWork.Rest)
                {
                    await ComplainAsync(stop);
                    if (!await inbox.Reader.WaitToReadAsync(stop))
                        return;
                }
                else
                {
                    try
                    {
                        await DoAsync(work, ends.Token);
                        attempt = 0;
                    }
                    catch (Exception e) when (!stop.IsCancellationRequested)
                    {
                        // Not the task's failure but the host's: stopping and removing must happen in the end.
                        var delay = services.Options.Retry.Delay(++attempt, services.Options.Jitter());
                        services.Log.TaskWorkFailed(e, Id, work, delay);
                        await Task.Delay(delay, services.Time, stop);
                    }
                }

                Drain();
            }
        }
        finally
        {
            ends.Cancel();
            if (watch is not null)
                await watch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    private async Task DoAsync(TaskWork work, CancellationToken stop)
    {
        switch (work)
        {
            case TaskWork.Accept:
                await ReportAsync(TaskState.Accepted, "accepted", stop);
                break;
            case TaskWork.BeginPreparing:
                await ReportAsync(TaskState.Preparing, "preparing", stop);
                break;
            case TaskWork.Prepare:
                await AttemptAsync(async () =>
                {
                    await services.Executor.PrepareAsync(assignment, stop);
                    await ReportAsync(TaskState.Ready, "prepared", stop);
                }, stop);
                break;
            case TaskWork.BeginStarting:
                await ReportAsync(TaskState.Starting, "starting", stop);
                break;
            case TaskWork.Start:
                await AttemptAsync(async () =>
                {
                    var container = await services.Executor.StartAsync(assignment, stop);
                    started = true;
                    health = await HealthAsync(stop);
                    var state = health.State is HealthState.Unchecked or HealthState.Healthy ? TaskState.Running : TaskState.Starting;
                    await ReportAsync(Status(state, state == TaskState.Running ? "started" : "starting") with { ContainerStatus = container }, stop);
                }, stop);
                break;
            case TaskWork.Watch:
                watch = Task.WhenAll(WatchAsync(stop), WatchHealthAsync(stop));
                break;
            case TaskWork.Run:
                await ReportAsync(TaskState.Running, "started", stop);
                break;
            case TaskWork.Fail:
                await FailAsync(stop);
                break;
            case TaskWork.Stop:
                await StopAsync(stop);
                break;
            case TaskWork.Remove:
                await services.Executor.RemoveAsync(assignment, stop);
                services.Records.Delete(Id);
                finished = true;
                break;
            case TaskWork.Rest:
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary>Making and starting containers is shared out: a node that gets a hundred tasks at once does not fall over itself.</summary>
    private async Task AttemptAsync(Func<Task> work, CancellationToken stop)
    {
        await services.Slots.WaitAsync(stop);
        try
        {
            await work();
        }
        catch (TaskFailedException e)
        {
            await ReportAsync(TaskOutcome.Failure(status.State, e, services.Time.GetUtcNow()), stop);
        }
        finally
        {
            services.Slots.Release();
        }
    }

    private async Task StopAsync(CancellationToken stop)
    {
        if (drains && status.State == TaskState.Running)
            await DrainAsync(stop);
        drains = false;
        var container = await services.Executor.StopAsync(assignment, stop);
        await ReportAsync(Status(TaskState.Shutdown, "shutdown") with { ContainerStatus = container ?? status.ContainerStatus }, stop);
    }

    /// <summary>No new connection comes: those that are there are let be answered.</summary>
    private async Task DrainAsync(CancellationToken stop)
    {
        var (shortest, most) = (services.Options.ShortestDrain, services.Options.Drain);
        var began = services.Time.GetTimestamp();
        await Task.Delay(shortest < most ? shortest : most, services.Time, stop);
        while (services.Time.GetElapsedTime(began) < most && await services.Executor.IsServingAsync(assignment, stop))
            await Task.Delay(BusyLook, services.Time, stop);
    }

    /// <summary>Nobody is led to it any more before it is stopped; the manager replaces it when it is gone.</summary>
    private async Task FailAsync(CancellationToken stop)
    {
        var why = TaskOutcome.Unhealthy(health);
        if (status.State == TaskState.Running)
        {
            await ReportAsync(Status(TaskState.Running, "started") with { Err = why }, stop);
            if (await services.Led.UntilNoneLeadsToAsync(Addresses, LeavePorts, stop))
                await DrainAsync(stop);
        }

        var container = await services.Executor.StopAsync(assignment, stop);
        await ReportAsync(Status(TaskState.Failed, "started") with { Err = why, ContainerStatus = container ?? status.ContainerStatus }, stop);
    }

    /// <summary>A task that waits to become healthy says what its probe complains of, though not at every probe.</summary>
    private async Task ComplainAsync(CancellationToken stop)
    {
        var now = services.Time.GetUtcNow();
        if (status.State != TaskState.Starting || TaskOutcome.NotYetHealthy(health) is not { } said || status.Err == said
            || (status.Err is not null && now - complained < Complaints))
            return;
        complained = now;
        await ReportAsync(Status(TaskState.Starting, "starting") with { Err = said }, stop);
    }

    private async Task<TaskHealth> HealthAsync(CancellationToken stop)
    {
        await foreach (var now in services.Executor.WatchHealthAsync(assignment, stop))
            return now;
        return TaskHealth.Unchecked;
    }

    private async Task WatchHealthAsync(CancellationToken stop)
    {
        await foreach (var now in services.Executor.WatchHealthAsync(assignment, stop))
        {
            if (now.State != HealthState.Unchecked)
                await inbox.SendAsync(new Message(null, false, null, now, false), stop);
        }
    }

    private async Task WatchAsync(CancellationToken stop)
    {
        var exit = await services.Executor.WaitAsync(assignment, stop);
        await inbox.SendAsync(new Message(null, false, exit, null, false), stop);
    }

    private void Drain()
    {
        while (inbox.Reader.TryRead(out var message))
        {
            if (message.Assigned is { } next)
            {
                // What was observed here is newer than what the manager has stored.
                assignment = next;
                desired = (TaskState)Math.Max((int)desired, (int)next.Task.DesiredState);
                drains |= message.DrainFirst;
                services.Records.Save(Current());
            }

            if (message.Removed)
                desired = TaskState.Remove;
            if (message.Health is { } now)
                health = now;
            if (message.Exit is { } exit)
                pendingExit = exit;
        }
    }

    private ServiceTaskStatus Status(TaskState state, string message) => new()
    {
        Timestamp = services.Time.GetUtcNow(),
        State = state,
        Message = message,
        ContainerStatus = status.ContainerStatus,
    };

    private ValueTask<bool> ReportAsync(TaskState state, string message, CancellationToken stop) => ReportAsync(Status(state, message), stop);

    private ValueTask<bool> ReportAsync(ServiceTaskStatus next, CancellationToken stop)
    {
        status = next;
        // The states between are passed through in milliseconds and found again from the container.
        if (next.State is TaskState.Ready or TaskState.Running || next.State.IsTerminal())
            services.Records.Save(Current());
        if (next.Err is { } reason)
            services.Log.TaskEnded(Id, TaskContainerPlan.NameOf(assignment.Task), next.State, reason);
        else
            services.Log.TaskIs(Id, TaskContainerPlan.NameOf(assignment.Task), next.State);
        return services.Reporter.TellAsync(Id, next, stop);
    }

    private TaskAssignment Current() => assignment with { Task = assignment.Task with { Status = status, DesiredState = desired } };

    private sealed record Message(TaskAssignment? Assigned, bool DrainFirst, TaskExit? Exit, TaskHealth? Health, bool Removed);
}
