using Orchestrator.Cli.Commands.Tasks;
using Orchestrator.Manager.Api;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.Orchestration;

public sealed class JobTests
{
    private readonly Scene scene = new(2);

    [Fact]
    public void So_many_run_at_once_until_all_have_completed()
    {
        scene.Create(Job(total: 5, atOnce: 2));
        scene.Settle();
        Assert.Equal([1, 2], scene.Tasks.Select(t => t.Slot));
        var seen = 0;
        while (Running() is { Count: > 0 } running)
        {
            Assert.InRange(running.Count, 1, 2);
            Assert.Single(running.Select(t => t.JobIteration).Distinct());
            seen++;
            End(running[0], TaskState.Complete);
        }

        Assert.Equal(5, seen);
        Assert.Equal([1, 2, 3, 4, 5], scene.Tasks.Where(t => t.Status.State == TaskState.Complete).Select(t => t.Slot));
        scene.Advance(3600);
        Assert.Equal(0, scene.Settle());
        Assert.Equal((0UL, 5UL), Counts());
    }

    [Fact]
    public void What_failed_is_tried_again_and_what_completed_is_not_whatever_the_policy_says()
    {
        scene.Create(Job(total: 1, atOnce: 1));
        Run();
        End(Running()[0], TaskState.Failed);
        Assert.Empty(Running());
        scene.Advance(5);
        Run();
        End(Assert.Single(Running()), TaskState.Complete);
        scene.Advance(60);
        scene.Settle();
        Assert.Equal([TaskState.Failed, TaskState.Complete], scene.Tasks.Select(t => t.Status.State));
    }

    [Fact]
    public void A_slot_that_failed_for_good_is_left_and_the_others_go_on()
    {
        scene.Create(With(Job(total: 3, atOnce: 1), new() { Condition = RestartCondition.None }));
        Run();
        End(Running()[0], TaskState.Failed);
        End(Assert.Single(Running()), TaskState.Complete);
        End(Assert.Single(Running()), TaskState.Complete);
        scene.Advance(60);
        scene.Settle();
        Assert.Equal([TaskState.Failed, TaskState.Complete, TaskState.Complete], scene.Tasks.Select(t => t.Status.State));
    }

    [Fact]
    public void A_job_that_is_changed_or_forced_runs_anew_when_its_former_run_is_gone()
    {
        var id = scene.Create(Job(total: 2, atOnce: 2));
        Run();
        var first = Running();
        End(first[0], TaskState.Complete);
        scene.Advance(10);
        Assert.Null(scene.Update(id, s => s with { TaskTemplate = s.TaskTemplate with { ForceUpdate = 1 } }).Refusal);
        scene.Settle();
        Assert.Equal(TaskState.Remove, scene.State.Tasks[first[1].Id].DesiredState);
        Assert.Equal([1], scene.Tasks.Where(t => t.JobIteration == scene.State.Services[id].JobStatus!.JobIteration).Select(t => t.Slot));
        Run();
        Assert.Equal([1, 2], Running().Select(t => t.Slot));
        Assert.DoesNotContain(scene.Tasks, t => first.Any(f => f.Id == t.Id));
        Assert.Equal(scene.Now, scene.State.Services[id].JobStatus!.LastExecution);
        Assert.Null(scene.State.Services[id].UpdateStatus);
    }

    [Fact]
    public void Other_counts_go_on_with_the_run()
    {
        var id = scene.Create(Job(total: 1, atOnce: 1));
        Run();
        End(Running()[0], TaskState.Complete);
        scene.Update(id, s => s with { Mode = new() { ReplicatedJob = new() { TotalCompletions = 3, MaxConcurrent = 5 } } });
        Run();
        Assert.Equal([2, 3], Running().Select(t => t.Slot));
        scene.Update(id, s => s with { Mode = new() { ReplicatedJob = new() { TotalCompletions = 2, MaxConcurrent = 5 } } });
        Run();
        Assert.Equal([2], Running().Select(t => t.Slot));
    }

    [Fact]
    public void A_global_job_completes_once_on_every_node_and_on_one_that_joins_later()
    {
        scene.Create(Scene.Spec("job") with { Mode = new() { GlobalJob = new() } });
        Run();
        Assert.Equal(2, Running().Count);
        foreach (var task in Running())
            End(task, TaskState.Complete);
        Assert.Empty(Running());
        Assert.Equal((2UL, 2UL), Counts());
        scene.Do(new JoinNode(Scene.NodeOf(3)) { At = scene.Now });
        Run();
        Assert.Equal("node-3", Assert.Single(Running()).NodeId.Value);
    }

    [Fact]
    public void A_drained_node_s_part_of_a_job_is_not_done_twice_at_a_time()
    {
        scene.Create(Job(total: 1, atOnce: 1));
        Run();
        var node = scene.State.Nodes[Running()[0].NodeId];
        scene.Do(new UpdateNode(node.Id, node.Version.Index, node.Spec with { Availability = NodeAvailability.Drain }) { At = scene.Now });
        scene.Settle();
        Assert.Equal(TaskState.Shutdown, scene.Tasks[0].DesiredState);
        Assert.Equal(TaskState.Ready, scene.Tasks[1].DesiredState);
        Run();
        Assert.NotEqual(node.Id, Assert.Single(Running()).NodeId);
    }

    [Fact]
    public void A_service_does_not_become_a_job()
    {
        var id = scene.Create(Scene.Spec("web"));
        Assert.Equal("service mode change is not allowed", scene.Update(id, s => s with { Mode = Job(1, 1).Mode }).Refusal!.Message);
    }

    [Fact]
    public void Who_waits_for_a_job_starts_when_all_of_it_has_completed()
    {
        scene.Create(Job(total: 2, atOnce: 1));
        scene.Create(Scene.Spec("web") with { Orch = new() { DependsOn = [new() { Service = "job", Condition = DependencyCondition.Completed }] } });
        Run();
        End(Running().Single(t => t.ServiceName == "job"), TaskState.Complete);
        Assert.DoesNotContain(Running(), t => t.ServiceName == "web");
        End(Running().Single(t => t.ServiceName == "job"), TaskState.Complete);
        Assert.Contains(Running(), t => t.ServiceName == "web");
    }

    [Fact]
    public void Stock_clients_get_a_job_s_slots_counted_from_0_and_names_counted_from_1()
    {
        scene.Create(Job(total: 2, atOnce: 2));
        Run();
        Assert.Equal([0, 1], scene.Tasks.Select(t => TaskApi.Shown(scene.State, t).Slot));
        Assert.Equal(["1", "2"], scene.Tasks.Select(t => TaskPlace.Of(TaskApi.Shown(scene.State, t))));
    }

    [Fact]
    public void The_API_shows_that_a_job_s_tasks_are_to_complete()
    {
        scene.Create(Job(total: 1, atOnce: 1));
        Run();
        Assert.Equal(TaskState.Complete, TaskApi.Shown(scene.State, scene.Tasks[0]).DesiredState);
        End(scene.Tasks[0], TaskState.Complete);
        Assert.Equal(TaskState.Complete, TaskApi.Shown(scene.State, scene.Tasks[0]).DesiredState);
    }

    private static ServiceSpec Job(ulong total, ulong atOnce) =>
        Scene.Spec("job") with { Mode = new() { ReplicatedJob = new() { TotalCompletions = total, MaxConcurrent = atOnce } } };

    private static ServiceSpec With(ServiceSpec spec, RestartPolicy policy) => spec with { TaskTemplate = spec.TaskTemplate with { RestartPolicy = policy } };

    private (ulong Desired, ulong Completed) Counts()
    {
        var service = scene.State.Services.Values.Single();
        var status = ServiceApi.Status(scene.State, service, scene.Tasks);
        return (service.Spec.Mode.GlobalJob is null ? status.RunningTasks : status.DesiredTasks, status.CompletedTasks);
    }

    private List<ServiceTask> Running()
    {
        Run();
        return [.. scene.Tasks.Where(t => t is { Status.State: TaskState.Running, DesiredState: TaskState.Running })];
    }

    private void Run()
    {
        for (var i = 0; i < 4; i++)
        {
            scene.Settle();
            scene.Obey();
        }

        scene.Settle();
    }

    private void End(ServiceTask task, TaskState state)
    {
        scene.Report(task, state);
        scene.Settle();
    }
}
