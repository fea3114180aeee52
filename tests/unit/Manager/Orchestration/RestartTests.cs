using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.Orchestration;

public sealed class RestartTests
{
    private readonly Scene scene = new();

    [Fact]
    public void A_failed_task_is_followed_after_five_seconds_if_nothing_else_is_said()
    {
        Run(policy: null);
        scene.Report(scene.Tasks[0], TaskState.Failed);
        scene.Settle();
        var follower = scene.Tasks[1];
        Assert.Equal((TaskState.Shutdown, TaskState.Ready), (scene.Tasks[0].DesiredState, follower.DesiredState));
        Assert.Equal(scene.Now.AddSeconds(5), follower.NotBefore);
        scene.Advance(4.9);
        scene.Settle();
        Assert.Equal(TaskState.Ready, scene.State.Tasks[follower.Id].DesiredState);
        scene.Advance(0.2);
        scene.Settle();
        Assert.Equal(TaskState.Running, scene.State.Tasks[follower.Id].DesiredState);
    }

    [Theory]
    [InlineData(RestartCondition.Any, TaskState.Complete, true)]
    [InlineData(RestartCondition.Any, TaskState.Failed, true)]
    [InlineData(RestartCondition.OnFailure, TaskState.Complete, false)]
    [InlineData(RestartCondition.OnFailure, TaskState.Failed, true)]
    [InlineData(RestartCondition.OnFailure, TaskState.Rejected, true)]
    [InlineData(RestartCondition.None, TaskState.Failed, false)]
    public void The_condition_decides(RestartCondition condition, TaskState end, bool again)
    {
        Run(new() { Condition = condition });
        scene.Report(scene.Tasks[0], end);
        scene.Settle();
        Assert.Equal(again ? 2 : 1, scene.Tasks.Count);
        scene.Advance(3600);
        scene.Settle();
        Assert.Equal(again ? 2 : 1, scene.Tasks.Count);
    }

    [Fact]
    public void After_the_last_attempt_the_slot_rests_and_its_history_is_kept()
    {
        Run(new() { Delay = TimeSpan.Zero, MaxAttempts = 7 });
        for (var i = 0; i < 20; i++)
            FailOnce();
        Assert.Equal(8, scene.Tasks.Count);
        Assert.All(scene.Tasks, t => Assert.Equal(TaskState.Failed, t.Status.State));
    }

    [Fact]
    public void Attempts_outside_of_the_window_do_not_count()
    {
        Run(new() { Delay = TimeSpan.Zero, MaxAttempts = 2, Window = TimeSpan.FromSeconds(10) });
        for (var i = 0; i < 8; i++)
        {
            FailOnce();
            scene.Advance(6);
            scene.Settle();
        }

        Assert.Contains(scene.Tasks, t => t.DesiredState == TaskState.Running);
        FailOnce();
        FailOnce();
        FailOnce();
        Assert.DoesNotContain(scene.Tasks, t => t.DesiredState <= TaskState.Running);
    }

    [Fact]
    public void Five_tasks_of_a_slot_are_remembered()
    {
        Run(new() { Delay = TimeSpan.Zero });
        for (var i = 0; i < 12; i++)
            FailOnce();
        Assert.Equal(5, scene.Tasks.Count);
        Assert.Single(scene.Tasks, t => t.DesiredState <= TaskState.Running);
    }

    private void Run(RestartPolicy? policy)
    {
        var spec = Scene.Spec("web");
        scene.Create(spec with { TaskTemplate = spec.TaskTemplate with { RestartPolicy = policy } });
        scene.Settle();
        scene.Obey();
    }

    private void FailOnce()
    {
        scene.Obey();
        foreach (var task in scene.Tasks.Where(t => t.Status.State == TaskState.Running))
            scene.Report(task, TaskState.Failed);
        scene.Advance(0.001);
        scene.Settle();
    }
}
