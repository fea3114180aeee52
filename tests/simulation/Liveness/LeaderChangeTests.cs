using Orchestrator.Shared.Model;
using Orchestrator.Tests.Simulation.Control;

namespace Orchestrator.Tests.Simulation.Liveness;

public sealed class LeaderChangeTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    public static TheoryData<ulong> Seeds => [.. Enumerable.Range(1, 10).Select(s => (ulong)s)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_leader_change_restarts_and_reassigns_nothing(ulong seed)
    {
        var lab = Running(seed);
        var before = lab.State.Tasks.Values.ToList();
        for (var change = 1; change <= 10; change++)
        {
            lab.Transfer(1 + (change % 3));
            lab.RunFor(TimeSpan.FromSeconds(1 + change));
        }

        Unmoved(lab, before);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_leader_that_is_cut_off_costs_no_other_nodes_task_its_place(ulong seed)
    {
        var lab = Running(seed);
        var before = lab.State.Tasks.Values.ToList();
        lab.CutManager(1, next: 2);
        lab.RunFor(TimeSpan.FromSeconds(60));
        Assert.Equal([LivenessLab.Id(1)], lab.EverDown);
        foreach (var task in before.Where(t => t.NodeId != LivenessLab.Id(1)))
            Assert.Equal((TaskState.Running, TaskState.Running), (lab.State.Tasks[task.Id].DesiredState, lab.State.Tasks[task.Id].Status.State));
        Assert.All(before, t => Assert.Equal(1, lab.Hosts.Sum(h => h.Starts(t.Id))));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Nothing_is_lost_of_what_happened_while_nobody_led(ulong seed)
    {
        var lab = Running(seed);
        var (host, task) = lab.Hosts.SelectMany(h => h.Running.Select(t => (h, t))).First(x => x.h != lab.Hosts[0] && x.h != lab.Hosts[1]);
        lab.CutManager(1, next: 2);
        host.Exit(task, 7);
        lab.Heal();
        lab.Until(s => !s.Tasks.TryGetValue(task, out var told) || told.Status is { State: TaskState.Failed, Err: "task: non-zero exit (7)" }, Soon, "the exit is told");
        lab.UntilSettled(TimeSpan.FromSeconds(30));
    }

    private static LivenessLab Running(ulong seed)
    {
        var lab = new LivenessLab(seed, managers: 3, nodes: 5);
        lab.Create(Operator.Service("web", 10));
        lab.Create(Operator.Service("every") with { Mode = new() { Global = new() } });
        lab.UntilSettled(Soon);
        return lab;
    }

    private static void Unmoved(LivenessLab lab, IReadOnlyList<ServiceTask> before)
    {
        Assert.Empty(lab.EverDown);
        Assert.Equal(before.Select(t => t.Id), lab.State.Tasks.Values.Select(t => t.Id));
        Assert.All(lab.State.Tasks.Values, t => Assert.Equal((TaskState.Running, TaskState.Running), (t.DesiredState, t.Status.State)));
        Assert.All(before, t => Assert.Equal(1, lab.Hosts.Sum(h => h.Starts(t.Id))));
        Assert.DoesNotContain(lab.Hosts.SelectMany(h => h.Story), s => s.What is "stop" or "remove");
    }
}
