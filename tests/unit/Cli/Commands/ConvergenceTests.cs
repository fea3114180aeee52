using Orchestrator.Cli.Commands.Progress;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Cli.Commands;

public sealed class ConvergenceTests
{
    private static readonly DateTimeOffset Then = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private static Service Service(ulong replicas, RestartPolicy? policy = null) => new()
    {
        Id = new ServiceId("s"),
        Spec = new ServiceSpec
        {
            Name = "web",
            Mode = new ServiceMode { Replicated = new ReplicatedMode { Replicas = replicas } },
            TaskTemplate = new TaskSpec { RestartPolicy = policy },
        },
    };

    private static ServiceTask Task(string id, int slot, TaskState state, TaskState desired = TaskState.Running, string? error = null) => new()
    {
        Id = new TaskId(id),
        Slot = slot,
        Spec = new TaskSpec(),
        DesiredState = desired,
        Status = new ServiceTaskStatus { State = state, Err = error, Timestamp = Then.AddSeconds(id.Length) },
    };

    private static ServiceProgress Judge(Service service, TimeSpan blocked, params ServiceTask[] tasks) =>
        Convergence.Judge(service, tasks, new HashSet<TaskId> { new("old") }, blocked, Grace);

    [Fact]
    public void All_replicas_running_is_the_end() =>
        Assert.Equal(Outcome.Running, Judge(Service(2), default, Task("a", 1, TaskState.Running), Task("b", 2, TaskState.Running)).Outcome);

    [Fact]
    public void No_replicas_wanted_is_the_end_at_once() => Assert.Equal(Outcome.Running, Judge(Service(0), default).Outcome);

    [Fact]
    public void A_task_that_is_being_stopped_does_not_count() =>
        Assert.Equal("0/1 running", Judge(Service(1), default, Task("a", 1, TaskState.Running, TaskState.Shutdown)).Text);

    [Fact]
    public void A_job_is_done_when_its_present_run_has_completed_as_often_as_it_shall()
    {
        var run = new ObjectVersion(7);
        var job = Service(1) with
        {
            Spec = new() { Name = "web", Mode = new() { ReplicatedJob = new() { TotalCompletions = 2, MaxConcurrent = 1 } } },
            JobStatus = new() { JobIteration = run },
        };
        var former = Task("old1", 2, TaskState.Complete, TaskState.Complete) with { JobIteration = new(3) };
        var first = Task("a", 1, TaskState.Complete, TaskState.Complete) with { JobIteration = run };
        var second = Task("b", 2, TaskState.Running, TaskState.Complete) with { JobIteration = run };
        Assert.Equal((Outcome.Waiting, "1/2 completed, 1 running"), Both(Judge(job, default, former, first, second)));
        second = second with { Status = second.Status with { State = TaskState.Complete } };
        Assert.Equal((Outcome.Running, "2/2 completed, 0 running"), Both(Judge(job, default, former, first, second)));
        var policy = job with { Spec = job.Spec with { TaskTemplate = new() { RestartPolicy = new() { Condition = RestartCondition.None } } } };
        second = second with { Status = second.Status with { State = TaskState.Failed, Err = "task: non-zero exit (1)" }, DesiredState = TaskState.Shutdown };
        Assert.Equal("web.2: task: non-zero exit (1)", Judge(policy, default, first, second).Reason);

        static (Outcome, string) Both(ServiceProgress progress) => (progress.Outcome, progress.Text);
    }

    [Fact]
    public void A_failure_without_restarts_is_final()
    {
        var none = new RestartPolicy { Condition = RestartCondition.None };
        var seen = Judge(Service(1, none), default, Task("a", 1, TaskState.Failed, TaskState.Shutdown, "task: non-zero exit (1)"));
        Assert.Equal((Outcome.Failed, "web.1: task: non-zero exit (1)"), (seen.Outcome, seen.Reason));
    }

    [Fact]
    public void A_failure_is_not_final_while_attempts_are_left()
    {
        var two = new RestartPolicy { Condition = RestartCondition.OnFailure, MaxAttempts = 1 };
        Assert.Equal(Outcome.Waiting, Judge(Service(1, two), default, Task("a", 1, TaskState.Failed, TaskState.Shutdown, "x")).Outcome);
        Assert.Equal(Outcome.Failed, Judge(Service(1, two), default,
            Task("a", 1, TaskState.Failed, TaskState.Shutdown, "x"), Task("bb", 1, TaskState.Failed, TaskState.Shutdown, "x")).Outcome);
    }

    [Fact]
    public void Failing_again_and_again_is_told_although_restarts_go_on()
    {
        var seen = Judge(Service(1), default,
            Task("a", 1, TaskState.Failed, TaskState.Shutdown, "boom"), Task("bb", 1, TaskState.Failed, TaskState.Shutdown, "boom"),
            Task("ccc", 1, TaskState.Failed, TaskState.Shutdown, "boom"), Task("d", 1, TaskState.Ready));
        Assert.Equal("web.1: boom (3 times; it is tried again and again)", seen.Reason);
    }

    [Fact]
    public void Failures_from_before_the_wait_are_old_news() =>
        Assert.Equal(Outcome.Waiting, Judge(Service(1, new RestartPolicy { Condition = RestartCondition.None }), default, Task("old", 1, TaskState.Failed, TaskState.Shutdown, "x")).Outcome);

    [Fact]
    public void A_task_that_ended_well_and_is_not_restarted_has_done_its_work() =>
        Assert.Equal("0/1 running, 1 finished", Judge(Service(1, new RestartPolicy { Condition = RestartCondition.OnFailure }), default, Task("a", 1, TaskState.Complete, TaskState.Shutdown)).Text);

    [Theory]
    [InlineData("paused", "update paused due to failure", false, Outcome.Failed, "update paused due to failure")]
    [InlineData("rollback_paused", "rollback paused", true, Outcome.Failed, "rollback paused")]
    [InlineData("rollback_started", "update rolled back", false, Outcome.Waiting, "rolls back, 1/1 running: update rolled back")]
    [InlineData("rollback_completed", "rollback completed", false, Outcome.Failed, "update failed, rolled back")]
    [InlineData("rollback_started", "manually requested rollback", true, Outcome.Waiting, "1/1 running, verifies that they stay so")]
    [InlineData("rollback_completed", "rollback completed", true, Outcome.Running, "1/1 running")]
    [InlineData("updating", "update in progress", false, Outcome.Waiting, "1/1 running, verifies that they stay so")]
    [InlineData("completed", "update completed", false, Outcome.Running, "1/1 running")]
    public void An_update_is_waited_for_to_its_end(string state, string message, bool asked, object outcome, string text)
    {
        var service = Service(1) with { UpdateStatus = new UpdateStatus { State = state, Message = message } };
        var seen = Convergence.Judge(service, [Task("a", 1, TaskState.Running)], new HashSet<TaskId>(), default, Grace, asked);
        Assert.Equal(((Outcome)outcome, text), (seen.Outcome, seen.Text));
    }

    [Fact]
    public void What_an_update_waits_for_is_shown()
    {
        var service = Service(1) with { UpdateStatus = new UpdateStatus { State = "updating", Message = "update waits for db to be updated (db.1 is starting)" } };
        Assert.Equal("0/1 running, waits for db to be updated (db.1 is starting)", Judge(service, default).Text);
    }

    [Fact]
    public void What_a_task_waits_for_is_shown() => Assert.Equal(
        "0/1 running, ready: waits for db to be healthy (db.1 is starting: health check: no)",
        Judge(Service(1), default, Task("a", 1, TaskState.Ready, TaskState.Ready, "waits for db to be healthy (db.1 is starting: health check: no)")).Text);

    [Fact]
    public void A_task_without_a_place_is_shown_and_after_the_grace_a_failure()
    {
        var waiting = Task("a", 1, TaskState.Pending, error: "no suitable node (scheduling constraints not satisfied on 1 node)");
        var early = Judge(Service(1), TimeSpan.FromSeconds(3), waiting);
        Assert.Equal((Outcome.Waiting, true), (early.Outcome, early.Blocked));
        Assert.Contains("no suitable node", early.Text, StringComparison.Ordinal);
        var late = Judge(Service(1), TimeSpan.FromSeconds(11), waiting);
        Assert.Equal((Outcome.Failed, "web.1: no suitable node (scheduling constraints not satisfied on 1 node)"), (late.Outcome, late.Reason));
    }
}
