using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;

namespace Orchestrator.Tests.Unit.Manager.Orchestration;

public sealed class DependencyTests
{
    private static readonly RestartPolicy Never = new() { Condition = RestartCondition.None };
    private readonly Scene scene = new();

    [Fact]
    public void A_dependant_is_prepared_and_starts_when_the_other_is_healthy()
    {
        scene.Create(Scene.Spec("db"));
        var web = scene.Create(Needing("web", "db"));
        scene.Settle();
        var task = TaskOf(web);
        Assert.Equal(TaskState.Ready, task.DesiredState);
        Assert.Equal(TaskState.Assigned, task.Status.State);
        scene.Report(task, TaskState.Ready);
        var db = scene.Tasks.First(t => t.ServiceName == "db");
        scene.Report(db, TaskState.Starting);
        scene.Settle();
        Assert.Equal("waits for db to be healthy (db.1 is starting)", TaskOf(web).Status.Err);
        scene.Report(db, TaskState.Running);
        scene.Settle();
        Assert.Equal(TaskState.Running, TaskOf(web).DesiredState);
    }

    [Fact]
    public void What_the_probe_of_the_other_printed_is_in_the_reason_to_wait()
    {
        scene.Create(Scene.Spec("db"));
        var web = scene.Create(Needing("web", "db"));
        scene.Settle();
        scene.Report(TaskOf(web), TaskState.Ready);
        Say(scene.Tasks.First(t => t.ServiceName == "db"), TaskState.Starting, "health check: no answer");
        scene.Settle();
        Assert.Equal("waits for db to be healthy (db.1 is starting: health check: no answer)", TaskOf(web).Status.Err);
    }

    [Fact]
    public void Started_is_when_a_container_of_it_was_started()
    {
        scene.Create(Scene.Spec("db"));
        var web = scene.Create(Needing("web", "db", DependencyCondition.Started));
        scene.Settle();
        var db = scene.Tasks.First(t => t.ServiceName == "db");
        scene.Report(db, TaskState.Starting);
        scene.Settle();
        Assert.Equal(TaskState.Ready, TaskOf(web).DesiredState);
        Say(db, TaskState.Starting, null, new TaskContainerStatus { ContainerId = "c", Pid = 7 });
        scene.Settle();
        Assert.Equal(TaskState.Running, TaskOf(web).DesiredState);
    }

    [Fact]
    public void Completed_is_when_every_replica_ended_well()
    {
        var once = Scene.Spec("migrate", 2);
        scene.Create(once with { TaskTemplate = once.TaskTemplate with { RestartPolicy = Never } });
        var web = scene.Create(Needing("web", "migrate", DependencyCondition.Completed));
        scene.Settle();
        scene.Obey();
        scene.Report(TaskOf(web), TaskState.Ready);
        var parts = scene.Tasks.Where(t => t.ServiceName == "migrate").ToList();
        scene.Report(parts[0], TaskState.Complete);
        scene.Settle();
        Assert.StartsWith("waits for migrate to complete (", TaskOf(web).Status.Err, StringComparison.Ordinal);
        scene.Report(parts[1], TaskState.Complete);
        scene.Settle();
        Assert.Equal(TaskState.Running, TaskOf(web).DesiredState);
    }

    [Fact]
    public void A_global_dependant_waits_too()
    {
        scene.Create(Scene.Spec("db"));
        var agent = scene.Create(Needing("agent", "db") with { Mode = new() { Global = new() } });
        scene.Settle();
        Assert.Equal(TaskState.Ready, TaskOf(agent).DesiredState);
        scene.Obey();
        scene.Settle();
        Assert.Equal(TaskState.Running, TaskOf(agent).DesiredState);
    }

    [Fact]
    public void What_has_to_be_there_and_is_not_is_refused_and_what_may_be_missing_is_not()
    {
        Assert.Equal("service web depends on db, which does not exist", scene.Refused(Needing("web", "db"))!.Problems.Single().Message);
        Assert.Null(scene.Refused(Needing("web", "db", optional: true)));
        scene.Settle();
        Assert.Equal(TaskState.Running, scene.Tasks.Single().DesiredState);
    }

    [Fact]
    public void An_optional_dependency_that_fails_is_waited_for_no_more()
    {
        scene.Create(Scene.Spec("db"));
        var web = scene.Create(Needing("web", "db", optional: true));
        scene.Settle();
        Assert.Equal(TaskState.Ready, TaskOf(web).DesiredState);
        scene.Report(scene.Tasks.First(t => t.ServiceName == "db"), TaskState.Failed);
        scene.Settle();
        Assert.Equal(TaskState.Running, TaskOf(web).DesiredState);
    }

    [Fact]
    public void Waiting_for_the_completion_of_what_is_always_started_again_is_refused()
    {
        scene.Create(Scene.Spec("migrate"));
        Assert.Contains("give it the restart condition none or on-failure", scene.Refused(Needing("web", "migrate", DependencyCondition.Completed))!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_circle_is_refused_with_its_path()
    {
        scene.Create(Scene.Spec("a"));
        scene.Create(Needing("b", "a"));
        scene.Create(Needing("c", "b"));
        var refused = scene.Update(scene.State.Services.Values.Single(s => s.Spec.Name == "a").Id, s => s with { Orch = Needing("a", "c").Orch }).Refusal;
        Assert.Equal("services wait for each other in a circle: a → c → b → a", refused!.Problems.Single().Message);
    }

    [Fact]
    public void A_circle_is_found_wherever_it_is_and_only_then()
    {
        static Dictionary<string, IReadOnlyList<string>> Needs(params (string Name, string[] Of)[] all) =>
            all.ToDictionary(a => a.Name, IReadOnlyList<string> (a) => a.Of);
        Assert.Null(DependencyCircle.Find(Needs(("a", ["b", "c"]), ("b", ["d"]), ("c", ["d"]))));
        Assert.Equal(["b", "c", "b"], DependencyCircle.Find(Needs(("a", ["b"]), ("b", ["c"]), ("c", ["b"]))));
        Assert.Equal(["x", "x"], DependencyCircle.Find(Needs(("x", ["x"]))));
    }

    [Fact]
    public void An_update_that_says_nothing_of_dependencies_keeps_them_and_an_empty_word_takes_them_away()
    {
        scene.Create(Scene.Spec("db"));
        var web = scene.Create(Needing("web", "db"));
        scene.Update(web, s => Scene.WithImage(s with { Orch = null }, "web:2"));
        Assert.Equal("db", scene.State.Services[web].Spec.Orch!.DependsOn.Single().Service);
        scene.Update(web, s => s with { Orch = new() });
        Assert.Null(scene.State.Services[web].Spec.Orch);
    }

    [Fact]
    public void Updates_of_a_stack_go_in_the_order_of_its_start()
    {
        var db = scene.Create(Scene.Spec("db"));
        var web = scene.Create(Needing("web", "db"));
        Run();
        scene.Update(web, s => Scene.WithImage(s, "web:2"));
        scene.Update(db, s => Scene.WithImage(s, "db:2"));
        scene.Settle();
        Assert.StartsWith("update waits for db to be updated (db.1 is ", scene.State.Services[web].UpdateStatus!.Message, StringComparison.Ordinal);
        Assert.Equal(TaskState.Running, TaskOf(web).DesiredState);
        Assert.Equal("web:1", TaskOf(web).Spec.ContainerSpec!.Image);
        for (var i = 0; i < 5; i++)
        {
            scene.Obey();
            scene.Settle();
        }

        Assert.Equal("web:2", TaskOf(web).Spec.ContainerSpec!.Image);
    }

    [Fact]
    public void Who_restarts_with_another_is_replaced_when_the_other_was_updated()
    {
        var db = scene.Create(Scene.Spec("db"));
        var web = scene.Create(Needing("web", "db", restart: true));
        var other = scene.Create(Needing("other", "db"));
        Run();
        var (before, stays) = (TaskOf(web).Id, TaskOf(other).Id);
        scene.Update(db, s => Scene.WithImage(s, "db:2"));
        for (var i = 0; i < 10; i++)
        {
            scene.Settle();
            scene.Obey();
            scene.Advance(3);
        }

        Assert.Equal("completed", scene.State.Services[db].UpdateStatus!.State);
        Assert.NotEqual(before, TaskOf(web).Id);
        Assert.Equal(TaskState.Running, TaskOf(web).Status.State);
        Assert.Equal(stays, TaskOf(other).Id);
        var after = TaskOf(web).Id;
        scene.Advance(3600);
        scene.Settle();
        Assert.Equal(after, TaskOf(web).Id);
    }

    [Fact]
    public void A_task_that_fails_is_followed_by_one_that_waits_again()
    {
        scene.Create(Scene.Spec("db"));
        var web = scene.Create(Needing("web", "db"));
        Run();
        scene.Report(scene.Tasks.First(t => t.ServiceName == "db"), TaskState.Failed);
        scene.Report(TaskOf(web), TaskState.Failed);
        scene.Settle();
        scene.Advance(6);
        scene.Settle();
        Assert.Equal(TaskState.Ready, TaskOf(web).DesiredState);
        scene.Obey();
        scene.Settle();
        Assert.Equal(TaskState.Running, TaskOf(web).DesiredState);
    }

    private static ServiceSpec Needing(
        string name, string other, DependencyCondition condition = DependencyCondition.Healthy, bool optional = false, bool restart = false) => Scene.Spec(name) with
        {
            Orch = new() { DependsOn = [new() { Service = other, Condition = condition, Optional = optional, Restart = restart }] },
        };

    private ServiceTask TaskOf(ServiceId service) =>
        scene.State.Tasks.Values.Where(t => t.ServiceId == service).OrderBy(t => t.CreatedAt).ThenBy(t => t.DesiredState <= TaskState.Running).Last();

    private void Run()
    {
        for (var i = 0; i < 3; i++)
        {
            scene.Settle();
            scene.Obey();
        }

        scene.Settle();
    }

    private void Say(ServiceTask task, TaskState state, string? error, TaskContainerStatus? container = null) => scene.Do(new ReportTasks(
        [new(scene.State.Tasks[task.Id].NodeId, [new() { TaskId = task.Id, Status = new() { State = state, Timestamp = scene.Now, Err = error, ContainerStatus = container } }])])
        { At = scene.Now });
}
