using FsCheck;
using FsCheck.Fluent;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.State;

public sealed class SnapshotTests
{
    [Fact]
    public void Any_state_survives_its_snapshot() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Choose(0, 9).ListOf(25).ToArbitrary(),
        acts =>
        {
            var scene = new Scene(2);
            foreach (var act in acts)
                Act(scene, act);
            var restored = Restore(scene.State);
            var sharing = scene.State.Tasks.Values.Select(t => t.Spec).Distinct(ReferenceEqualityComparer.Instance).Count();
            var sharingAfter = restored.Tasks.Values.Select(t => t.Spec).Distinct(ReferenceEqualityComparer.Instance).Count();
            return StateSnapshot.Digest(restored) == StateSnapshot.Digest(scene.State) && sharingAfter <= sharing;
        }));

    [Fact]
    public void A_log_replayed_from_a_snapshot_gives_the_state_of_the_whole_log()
    {
        var scene = new Scene(2);
        foreach (var act in new[] { 0, 3, 0, 1, 3, 5 })
            Act(scene, act);
        var other = Restore(scene.State);
        var command = new CreateService(new("late"), Scene.Spec("late")) { At = scene.Now };
        scene.Do(command);
        var replayed = Orchestrator.Manager.State.Apply.Applying.Run(other, other.Index + 1, Replay(command)).State;
        Assert.Equal(StateSnapshot.Digest(scene.State), StateSnapshot.Digest(replayed));
    }

    [Fact]
    public void A_spec_stands_in_a_snapshot_once_however_many_tasks_share_it()
    {
        var scene = new Scene();
        scene.Create(Scene.Spec("web", 50));
        scene.Settle();
        Assert.Equal(50, scene.State.Tasks.Count);
        Assert.Single(StateSnapshot.Lines(scene.State), l => System.Text.Encoding.UTF8.GetString(l).StartsWith("{\"Spec\":", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_damaged_snapshot_is_refused()
    {
        using var stream = new MemoryStream("{\"Swarm\":{\"ID\":\"x\"}}\n"u8.ToArray());
        await Assert.ThrowsAsync<System.Text.Json.JsonException>(() => StateSnapshot.ReadAsync(stream, CancellationToken.None));
    }

    [Fact]
    public void Every_command_survives_the_log()
    {
        var scene = new Scene();
        scene.Create(Scene.Spec("web", 3));
        var decision = Orchestrator.Manager.Leadership.ControlTurn.Plan(scene.State, scene.Now, scene.Ids);
        var turn = new Turn(decision.Commands) { At = scene.Now };
        var direct = Orchestrator.Manager.State.Apply.Applying.Run(scene.State, 99, turn).State;
        var replayed = Orchestrator.Manager.State.Apply.Applying.Run(scene.State, 99, Replay(turn)).State;
        Assert.Equal(StateSnapshot.Digest(direct), StateSnapshot.Digest(replayed));
    }

    private static Command Replay(Command command) => EntryCodec.Read(EntryCodec.Write(new(1, 2), command)).Command;

    private static ClusterState Restore(ClusterState state)
    {
        using var stream = new MemoryStream([.. StateSnapshot.Lines(state).SelectMany(l => l)]);
        return StateSnapshot.ReadAsync(stream, CancellationToken.None).GetAwaiter().GetResult();
    }

    private static void Act(Scene scene, int act)
    {
        var service = scene.State.Services.Values.FirstOrDefault(s => !s.PendingDelete);
        switch (act)
        {
            case 0:
                scene.Do(new CreateService(new(scene.Ids.Next()), Scene.Spec("svc" + scene.State.Index, 3)) { At = scene.Now, RequestId = "r" + scene.State.Index });
                break;
            case 1 when service is not null:
                scene.Update(service.Id, s => Scene.WithImage(s, "web:" + scene.State.Index));
                break;
            case 2 when service is not null:
                scene.Do(new RemoveService(service.Id) { At = scene.Now });
                break;
            case 4:
                scene.Do(new CreateNetwork(new(scene.Ids.Next()), new() { Name = "net" + (scene.State.Index % 3) }) { At = scene.Now });
                break;
            case 5:
                scene.Obey();
                break;
            case 6 when scene.Tasks.FirstOrDefault(t => t.Status.State == TaskState.Running) is { } task:
                scene.Report(task, TaskState.Failed);
                break;
            case 7 when service is not null:
                scene.Update(service.Id, s => s with { Mode = new() { Replicated = new() { Replicas = scene.State.Index % 5 } } });
                break;
            case 8 when scene.State.Networks.Values.FirstOrDefault(n => !n.Ingress) is { } network:
                scene.Do(new RemoveNetwork(network.Id) { At = scene.Now });
                break;
            default:
                scene.Advance(3);
                scene.Settle();
                break;
        }
    }
}
