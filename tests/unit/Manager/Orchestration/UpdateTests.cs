using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.Orchestration;

public sealed class UpdateTests
{
    private readonly Scene scene = new();
    private ServiceId id;

    [Theory]
    [InlineData(1ul, 1)]
    [InlineData(2ul, 2)]
    [InlineData(0ul, 4)]
    public void As_many_slots_move_at_once_as_the_parallelism_says(ulong parallelism, int moving)
    {
        Run(new() { Parallelism = parallelism });
        ChangeImage();
        Assert.Equal(moving, scene.Tasks.Count(t => t.Status.State == TaskState.Running && t.DesiredState == TaskState.Shutdown));
        Assert.Equal("updating", Status);
    }

    [Fact]
    public void Stop_first_starts_the_new_task_when_the_old_one_is_gone()
    {
        Run(new() { Parallelism = 1 });
        ChangeImage();
        var follower = scene.Tasks.Single(t => t.Spec.ContainerSpec!.Image == "web:2");
        Assert.Equal(TaskState.Ready, follower.DesiredState);
        scene.Report(scene.Tasks.Single(t => t.DesiredState == TaskState.Shutdown), TaskState.Shutdown);
        scene.Settle();
        Assert.Equal(TaskState.Running, scene.State.Tasks[follower.Id].DesiredState);
    }

    [Fact]
    public void Start_first_never_has_fewer_running_tasks_than_replicas()
    {
        Run(new() { Parallelism = 1, Order = "start-first", FailureAction = "continue" });
        ChangeImage();
        for (var i = 0; i < 30 && Status != "completed"; i++)
        {
            Assert.True(scene.Tasks.Count(t => t is { Status.State: TaskState.Running, DesiredState: TaskState.Running }) >= 4);
            scene.Obey();
            scene.Settle();
        }

        Assert.Equal("completed", Status);
        Assert.All(scene.Tasks.Where(t => t.DesiredState == TaskState.Running), t => Assert.Equal("web:2", t.Spec.ContainerSpec!.Image));
    }

    [Fact]
    public void An_overtaken_update_leaves_nothing_that_does_not_run()
    {
        Run(new() { Parallelism = 1, Order = "start-first", FailureAction = "continue" });
        foreach (var image in new[] { "web:2", "web:3", "web:4" })
        {
            ChangeImage(image);
            var slots = scene.Tasks.Where(t => t.DesiredState <= TaskState.Running).GroupBy(t => t.Slot).ToList();
            Assert.All(slots, slot => Assert.Single(slot, t => t.Status.State == TaskState.Running));
            Assert.All(slots, slot => Assert.True(slot.Count() <= 2));
        }
    }

    [Fact]
    public void The_delay_lies_between_one_slot_and_the_next()
    {
        Run(new() { Parallelism = 1, Delay = TimeSpan.FromSeconds(10) });
        ChangeImage();
        Replace();
        Assert.Equal(1, scene.Tasks.Count(IsNew));
        scene.Advance(11);
        scene.Settle();
        Assert.Equal(2, scene.Tasks.Count(IsNew));
    }

    [Fact]
    public void An_update_completes_when_the_last_task_has_run_for_the_monitor_period()
    {
        Run(new() { Parallelism = 0, Monitor = TimeSpan.FromSeconds(3) });
        ChangeImage();
        Replace();
        Assert.Equal("updating", Status);
        scene.Advance(4);
        scene.Settle();
        Assert.Equal("completed", Status);
    }

    [Fact]
    public void A_failing_update_pauses_and_the_other_slots_keep_the_old_task()
    {
        Run(new() { Parallelism = 1 });
        ChangeImage();
        Replace();
        scene.Report(scene.Tasks.First(t => IsNew(t) && t.Status.State == TaskState.Running), TaskState.Failed);
        scene.Settle();
        Assert.Equal("paused", Status);
        Assert.Contains("update paused due to failure or early termination of task", scene.State.Services[id].UpdateStatus!.Message);
        scene.Advance(3600);
        scene.Settle();
        Assert.True(scene.Tasks.Count(t => !IsNew(t) && t.DesiredState == TaskState.Running) >= 2);
    }

    [Fact]
    public void A_failing_update_rolls_back_when_it_is_to()
    {
        Run(new() { Parallelism = 1, FailureAction = "rollback", Monitor = TimeSpan.FromSeconds(1) });
        ChangeImage();
        Replace();
        scene.Report(scene.Tasks.First(t => IsNew(t) && t.Status.State == TaskState.Running), TaskState.Failed);
        scene.Settle();
        Assert.Equal("rollback_started", Status);
        for (var i = 0; i < 20; i++)
        {
            scene.Obey();
            scene.Advance(10);
            scene.Settle();
        }

        Assert.Equal("rollback_completed", Status);
        Assert.All(scene.Tasks.Where(t => t.DesiredState == TaskState.Running), t => Assert.Equal("web:1", t.Spec.ContainerSpec!.Image));
    }

    [Fact]
    public void Labels_and_replicas_replace_no_task()
    {
        Run(null);
        var before = scene.Tasks.Select(t => t.Id).ToList();
        scene.Update(id, s => s with { Labels = new Dictionary<string, string> { ["a"] = "b" }, Mode = new() { Replicated = new() { Replicas = 5 } } });
        scene.Settle();
        Assert.Equal(before, scene.Tasks.Where(t => t.Slot <= 4 && t.DesiredState == TaskState.Running).Select(t => t.Id));
        Assert.Null(Status);
    }

    private string? Status => scene.State.Services[id].UpdateStatus?.State;

    private static bool IsNew(ServiceTask task) => task.Spec.ContainerSpec!.Image == "web:2";

    private void Run(UpdateConfig? config)
    {
        id = scene.Create(Scene.Spec("web", 4) with { UpdateConfig = config });
        scene.Settle();
        scene.Obey();
        scene.Advance(60);
        scene.Settle();
    }

    private void ChangeImage(string image = "web:2")
    {
        Assert.Null(scene.Update(id, s => Scene.WithImage(s, image)).Refusal);
        scene.Settle();
    }

    /// <summary>The slots that move now do so: old ones stop, new ones run.</summary>
    private void Replace()
    {
        scene.Obey();
        scene.Settle();
        scene.Obey();
        scene.Settle();
    }
}
