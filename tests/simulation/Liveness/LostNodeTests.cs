using Orchestrator.Shared.Model;
using Orchestrator.Tests.Simulation.Control;

namespace Orchestrator.Tests.Simulation.Liveness;

public sealed class LostNodeTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    public static TheoryData<ulong> Seeds => [.. Enumerable.Range(1, 10).Select(s => (ulong)s)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Tasks_of_a_worker_that_is_cut_off_run_elsewhere_within_five_seconds(ulong seed)
    {
        var lab = Running(seed);
        lab.RunFor(TimeSpan.FromMilliseconds(seed * 97));
        lab.CutNode(5);
        var lost = lab.Hosts[4].Running.ToHashSet();
        var took = lab.Until(
            s => s.Tasks.Values.Count(t => t is { Slot: > 0, DesiredState: TaskState.Running, Status.State: TaskState.Running } && t.NodeId != LivenessLab.Id(5)) == 10,
            TimeSpan.FromSeconds(5), "ten replicas run on the other nodes");
        Assert.True(took > TimeSpan.FromSeconds(1), "so soon nobody can know");
        Assert.Equal([LivenessLab.Id(5)], lab.EverDown);
        Assert.Superset(lost, lab.Hosts[4].Running.ToHashSet()); // it serves on
        Assert.Equal(lost.Count, lab.Hosts[4].Running.Count);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_node_that_is_back_leads_nobody_to_what_was_replaced_and_stops_it(ulong seed)
    {
        var lab = Running(seed);
        lab.CutNode(5);
        var host = lab.Hosts[4];
        var replicas = host.Running.Where(t => lab.State.Tasks[t].Slot > 0).ToHashSet();
        var global = Assert.Single(host.Running, t => !replicas.Contains(t));
        lab.RunFor(TimeSpan.FromSeconds(30));
        Assert.Equal(replicas.Count, host.Running.Count(replicas.Contains));
        Assert.NotEmpty(Backends(host));
        var seen = host.Story.Count;
        lab.Heal();
        lab.Until(_ => !host.Running.Any(replicas.Contains), TimeSpan.FromSeconds(4), "what was replaced is stopped");
        var story = host.Story.Skip(seen).Select(s => s.What).ToList();
        Assert.True(story.IndexOf("endpoints") < story.IndexOf("stop"), "ports were led to tasks that stop");
        Assert.Contains(global, host.Running);
        Assert.Equal(1, host.Starts(global));
        lab.UntilSettled(Soon);
        Assert.All(replicas, t => Assert.False(lab.State.Tasks.TryGetValue(t, out var task) && task.DesiredState <= TaskState.Running));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_leader_and_a_worker_that_are_lost_together_are_both_replaced(ulong seed)
    {
        var lab = Running(seed);
        lab.CutNode(5);
        lab.CutManager(1, next: 3);
        lab.Until(
            s => s.Tasks.Values.Count(t => t is { Slot: > 0, DesiredState: TaskState.Running, Status.State: TaskState.Running }
                && t.NodeId != LivenessLab.Id(5) && t.NodeId != LivenessLab.Id(1)) == 10,
            TimeSpan.FromSeconds(10), "ten replicas run on the other three nodes");
        Assert.Equal([LivenessLab.Id(1), LivenessLab.Id(5)], lab.EverDown.Order());
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_node_without_any_manager_goes_on_and_tells_afterwards_what_happened(ulong seed)
    {
        var lab = Running(seed);
        for (var node = 1; node <= 5; node++)
            lab.CutNode(node);
        var task = lab.Hosts[3].Running.First();
        lab.RunFor(TimeSpan.FromSeconds(1));
        lab.Hosts[3].Exit(task, 3);
        lab.RunFor(TimeSpan.FromMinutes(5));
        Assert.Equal(14, lab.Running.Count());
        lab.Heal();
        lab.Until(
            s => !s.Tasks.TryGetValue(task, out var told) || told.Status is { State: TaskState.Failed, Err: "task: non-zero exit (3)" }, Soon, "the exit is told");
        lab.UntilSettled(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_drain_keeps_every_replica_serving(ulong seed)
    {
        var lab = Running(seed);
        lab.SetAvailability(4, NodeAvailability.Drain);
        lab.Until(
            s =>
            {
                Assert.True(s.Tasks.Values.Where(t => t.Slot > 0 && t.Status.State == TaskState.Running).Select(t => t.Slot).Distinct().Count() == 10);
                return lab.Hosts[3].Running.Count == 0;
            },
            Soon, "the drained node is empty");
    }

    [Fact]
    public void The_same_seed_tells_the_same_story()
    {
        Assert.Equal(Story(42), Story(42));
        Assert.NotEqual(Story(42), Story(43));
    }

    private static string Story(ulong seed)
    {
        var lab = Running(seed);
        lab.CutManager(1, next: 2);
        lab.CutNode(4);
        lab.RunFor(TimeSpan.FromSeconds(20));
        lab.Heal();
        lab.UntilSettled(TimeSpan.FromSeconds(30));
        return string.Join('\n', lab.Hosts.SelectMany(h => h.Story).Select(s => $"{s.At:O} {s.What} {s.Task}"));
    }

    private static IEnumerable<string> Backends(FakeHost host) => host.Endpoints!.Ports.SelectMany(p => p.Backends);

    private static LivenessLab Running(ulong seed)
    {
        var lab = new LivenessLab(seed, managers: 3, nodes: 5);
        lab.Create(Operator.Service("web", 10) with { EndpointSpec = new() { Ports = [new() { TargetPort = 80, PublishedPort = 8080 }] } });
        lab.Create(Operator.Service("every") with { Mode = new() { Global = new() } });
        lab.UntilSettled(Soon);
        return lab;
    }
}
