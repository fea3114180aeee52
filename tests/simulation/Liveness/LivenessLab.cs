using System.Buffers.Binary;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Dispatch;
using Orchestrator.Manager.Leadership;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Tests.Simulation.Control;
using Orchestrator.Tests.Simulation.Raft;
using Orchestrator.Worker.Agent;

namespace Orchestrator.Tests.Simulation.Liveness;

/// <summary>Managers with their real rooms over a played log, and nodes with real agents over played hosts, in virtual time.</summary>
internal sealed class LivenessLab
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly World world = new();
    private readonly Dice dice;
    private readonly SharedLog log;
    private readonly IdSource ids;
    private readonly HashSet<(int Node, int Manager)> cuts = [];
    private readonly HashSet<NodeId> everDown = [];

    internal LivenessLab(ulong seed, int managers, int nodes)
    {
        dice = new(seed);
        ids = new(Fill);
        log = new(world.Time, new(dice.Next()));
        for (var i = 1; i <= managers; i++)
            Managers.Add(Boot(i));
        log.Elect(Managers[0].Seat);
        world.AfterStep = () => everDown.UnionWith(State.Nodes.Values.Where(n => n.Status.State == NodeState.Down).Select(n => n.Id));
        Do(new InitSwarm(new() { Id = "swarm" }, NodeOf(1, managers)) { At = Now });
        foreach (var i in Enumerable.Range(2, nodes - 1))
            Do(new JoinNode(NodeOf(i, managers)) { At = Now });
        for (var i = 1; i <= nodes; i++)
        {
            var number = i;
            var host = new FakeHost(world.Time, new(dice.Next()));
            Hosts.Add(host);
            world.Post(_ => _ = AgentOf(number, host).RunAsync(CancellationToken.None), null);
        }

        Until(s => s.Nodes.Values.All(n => n.Status.State == NodeState.Ready), TimeSpan.FromSeconds(5), "all nodes are ready");
    }

    internal List<(SharedLog.Seat Seat, Dispatcher Dispatcher)> Managers { get; } = [];

    internal List<FakeHost> Hosts { get; } = [];

    /// <summary>As the managers that are not cut off have it.</summary>
    internal ClusterState State => Managers.First(m => !m.Seat.IsCut).Seat.Cluster.Current;

    internal DateTimeOffset Now => world.Time.GetUtcNow();

    /// <summary>Nodes that were taken for lost at any moment.</summary>
    internal IReadOnlySet<NodeId> EverDown => everDown;

    internal IEnumerable<TaskId> Running => Hosts.SelectMany(h => h.Running);

    internal static NodeId Id(int node) => new($"node-{node}");

    internal Outcome Do(Command command)
    {
        Until(_ => log.Leader is not null, TimeSpan.FromSeconds(10), "somebody leads");
        return world.Run(() => log.Leader!.Cluster.ProposeAsync(command, CancellationToken.None), Hour);
    }

    internal Outcome Do(Func<DateTimeOffset, Command> command) => Do(command(Now));

    internal ServiceId Create(ServiceSpec spec)
    {
        var id = new ServiceId(ids.Next());
        var outcome = Do(new CreateService(id, spec) { At = Now });
        return outcome.Refusal is null ? id : throw new InvalidOperationException(outcome.Refusal.Message);
    }

    internal void SetAvailability(int node, NodeAvailability availability)
    {
        var known = State.Nodes[Id(node)];
        Assert.Null(Do(new UpdateNode(known.Id, known.Version.Index, known.Spec with { Availability = availability }) { At = Now }).Refusal);
    }

    internal void RunFor(TimeSpan length) => world.RunUntil(() => false, length);

    /// <summary>How long it took.</summary>
    internal TimeSpan Until(Func<ClusterState, bool> done, TimeSpan most, string what)
    {
        var began = Now;
        Assert.True(world.RunUntil(() => done(State), most), $"after {most} of virtual time it does not hold that {what}");
        return Now - began;
    }

    /// <summary>Waits for all services to run as wanted.</summary>
    internal TimeSpan UntilSettled(TimeSpan most) => Until(
        s => s.Services.Values.All(service => s.Tasks.Values.Count(t => t.ServiceId == service.Id && t.DesiredState == TaskState.Running && t.Status.State == TaskState.Running
            && s.Nodes[t.NodeId].Status.State == NodeState.Ready) == (int)(service.Spec.Mode.Replicated?.Replicas ?? (ulong)s.Nodes.Count)), most, "all tasks run");

    /// <summary>Leadership goes to the manager in an orderly way.</summary>
    internal void Transfer(int manager)
    {
        world.Post(_ => log.Depose(), null);
        RunFor(TimeSpan.FromMilliseconds(50 + dice.Below(200)));
        world.Post(_ => log.Elect(Managers[manager - 1].Seat), null);
    }

    /// <summary>The manager loses the others and all nodes but its own; another one leads after the time of an election.</summary>
    internal void CutManager(int manager, int next)
    {
        for (var node = 1; node <= Hosts.Count; node++)
        {
            if (node != manager)
                cuts.Add((node, manager));
        }

        for (var other = 1; other <= Managers.Count; other++)
        {
            if (other != manager)
                cuts.Add((manager, other));
        }

        var led = log.Leader == Managers[manager - 1].Seat;
        world.Post(_ => _ = log.CutAsync(Managers[manager - 1].Seat), null);
        if (!led)
            return;
        RunFor(TimeSpan.FromMilliseconds(1000 + dice.Below(1000)));
        world.Post(_ => log.Elect(Managers[next - 1].Seat), null);
        RunFor(TimeSpan.FromMilliseconds(1));
    }

    /// <summary>The node reaches no manager.</summary>
    internal void CutNode(int node) => cuts.UnionWith(Enumerable.Range(1, Managers.Count).Select(m => (node, m)));

    internal void Heal()
    {
        cuts.Clear();
        foreach (var (seat, _) in Managers.Where(m => m.Seat.IsCut))
            world.Post(_ => log.Heal(seat), null);
        RunFor(TimeSpan.FromMilliseconds(1));
    }

    private (SharedLog.Seat Seat, Dispatcher Dispatcher) Boot(int number)
    {
        var cluster = new Cluster((ulong)number);
        var seat = log.Join(new(MemberNumber.Of(Id(number), null).Value), cluster);
        cluster.ProposeThrough(seat);
        var dispatcher = new Dispatcher(cluster, () => AddressOf(seat), world.Time, ids, Jitter, NullLogger.Instance);
        var rooms = new LeaderRooms(seat, [new ControlLoop(cluster, world.Time, ids, NullLogger.Instance).RunAsync, dispatcher.RunAsync], NullLogger.Instance);
        world.Post(_ => _ = rooms.RunAsync(CancellationToken.None), null);
        return (seat, dispatcher);
    }

    private string? AddressOf(SharedLog.Seat seat) =>
        seat.Current.Leader is { } leads ? Address(1 + Managers.FindIndex(m => m.Seat.Id == leads)) : null;

    private NodeAgent AgentOf(int number, FakeHost host)
    {
        var dispatcher = new ClusterDispatcher(new()
        {
            Managers = [.. Managers.Select((_, i) => new ManagerPeer { Address = Address(i + 1) })],
            Dial = peer =>
            {
                var manager = int.Parse(peer.Address.Split(':')[0].Split('.')[3], System.Globalization.CultureInfo.InvariantCulture);
                var wire = new Wire(Managers[manager - 1].Dispatcher, () => cuts.Contains((number, manager)), world.Time, new(dice.Next()));
                return new(wire, wire);
            },
            Jitter = Jitter,
            Time = world.Time,
        });
        return new(
            dispatcher, host,
            new() { Node = Id(number), Description = Description(number), Address = $"10.0.0.{number}", Jitter = Jitter },
            world.Time, NullLogger<NodeAgent>.Instance);
    }

    private static string Address(int manager) => $"10.0.0.{manager}:2377";

    private Node NodeOf(int number, int managers) => new()
    {
        Id = Id(number),
        CreatedAt = Now,
        Spec = new() { Role = number <= managers ? NodeRole.Manager : NodeRole.Worker },
        ManagerStatus = number <= managers ? new() { Addr = Address(number) } : null,
        Description = Description(number),
    };

    private static NodeDescription Description(int number) => new()
    {
        Hostname = $"host-{number}",
        Platform = new() { Os = "linux", Architecture = "x86_64" },
        Resources = new() { NanoCpus = 4_000_000_000, MemoryBytes = 4L << 30 },
    };

    private double Jitter() => (dice.Next() >> 11) / (double)(1UL << 53);

    private void Fill(Span<byte> bytes)
    {
        Span<byte> number = stackalloc byte[8];
        for (var i = 0; i < bytes.Length; i++)
        {
            if (i % 8 == 0)
                BinaryPrimitives.WriteUInt64BigEndian(number, dice.Next());
            bytes[i] = number[i % 8];
        }
    }
}
