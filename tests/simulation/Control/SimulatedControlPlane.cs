using System.Buffers.Binary;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Control;

/// <summary>A whole manager on its real Raft node, agents with fake containers, and an operator who never rests.</summary>
internal sealed class SimulatedControlPlane
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly World world = new();
    private readonly Disk disk = new();
    private readonly Dice dice;
    private readonly IdSource ids;
    private readonly Faults faults = new();
    private readonly Invariants invariants = new();
    private readonly List<SimulatedAgent> agents = [];
    private readonly ManagerOptions options;
    private MemoryJournal journal;
    private ManagerHost host;
    private bool isUp;

    internal SimulatedControlPlane(ulong seed, int nodes = 3)
    {
        dice = new(seed);
        ids = new(Fill);
        options = new()
        {
            NodeId = new("node-1"),
            DataRoot = "/nowhere",
            Logs = NullLoggerFactory.Instance,
            Time = world.Time,
            Random = Fill,
        };
        (journal, host) = Boot();
        for (var i = 1; i <= nodes; i++)
            agents.Add(new(new($"node-{i}"), () => isUp ? host.Dispatcher : null, world.Time, new(dice.Next()), faults));
        world.AfterStep = () => invariants.Check(host.Cluster.Current, agents);
        Begin();
        Do(new InitSwarm(
            new() { Id = ids.Next() }, NodeOf(1, NodeRole.Manager)) { At = Now });


        foreach (var i in Enumerable.Range(2, nodes - 1))
            Do(new JoinNode(NodeOf(i, NodeRole.Worker)) { At = Now });
        foreach (var agent in agents)
            world.Post(_ => agent.Start(), null);
    }

    internal ClusterState State => host.Cluster.Current;

    internal TimeProvider Time => world.Time;

    internal IReadOnlyList<SimulatedAgent> Agents => agents;

    internal string Digest => StateSnapshot.Digest(State);

    private DateTimeOffset Now => world.Time.GetUtcNow();

    internal IDispatcher Dispatcher => host.Dispatcher;

    internal Faults Faults => faults;

    internal Outcome Do(Command command) => world.Run(() => host.Cluster.ProposeAsync(command, CancellationToken.None), Hour);

    /// <summary>Asks once in a second of virtual time.</summary>
    internal bool RunUntil(Func<ClusterState, bool> done, TimeSpan most)
    {
        for (var passed = TimeSpan.Zero; passed < most; passed += TimeSpan.FromSeconds(1))
        {
            if (done(State))
                return true;
            RunFor(TimeSpan.FromSeconds(1));
        }

        return done(State);
    }

    internal void RunFor(TimeSpan length) => world.RunUntil(() => false, length);

    internal ServiceId Create(ServiceSpec spec)
    {
        var id = new ServiceId(ids.Next());
        var outcome = Do(new CreateService(id, spec) { At = Now });
        return outcome.Refusal is null ? id : throw new InvalidOperationException(outcome.Refusal.Message);
    }

    internal Outcome Update(ServiceId id, Func<ServiceSpec, ServiceSpec> change)
    {
        var service = State.Services[id];
        return Do(new UpdateService(id, service.Version.Index, change(service.Spec)) { At = Now });
    }

    /// <summary>The manager dies between two writes and another one starts on its disk.</summary>
    internal void CrashManager()
    {
        journal.Crash();
        isUp = false;
        world.AfterStep = () => { };
        RunFor(TimeSpan.FromMilliseconds(dice.Below(5000)));
        (journal, host) = Boot();
        invariants.Forget();
        Begin();
        world.AfterStep = () => invariants.Check(host.Cluster.Current, agents);
    }

    /// <summary>Some random act of an operator or of fate; then some time.</summary>
    internal void Act()
    {
        switch (dice.Below(12))
        {
            case 0 or 1: Operator.Create(this, dice); break;
            case 2 or 3: Operator.Scale(this, dice); break;
            case 4 or 5: Operator.ChangeImage(this, dice); break;
            case 6: Operator.Remove(this, dice); break;
            case 7: Operator.SetAvailability(this, dice); break;
            case 8 or 9: CycleNode(); break;
            case 10: CrashManager(); break;
            default: break;
        }

        RunFor(TimeSpan.FromMilliseconds(dice.Below(8000)));
    }

    /// <summary>Faults end, nodes are back and active: from here on the state has to become what was asked for.</summary>
    internal void Heal()
    {
        faults.Active = false;
        foreach (var agent in agents.Where(a => !a.IsUp))
            world.Post(_ => agent.Start(), null);

        // A node's own news can come between reading its version and naming it: then again.
        while (State.Nodes.Values.FirstOrDefault(n => n.Spec.Availability != NodeAvailability.Active) is { } node)
            Do(new UpdateNode(node.Id, node.Version.Index, node.Spec with { Availability = NodeAvailability.Active }) { At = Now });
    }

    internal Outcome Send(Func<DateTimeOffset, IdSource, Command> command) => Do(command(Now, ids));

    private void CycleNode()
    {
        var agent = agents[dice.Below(agents.Count)];
        world.Post(_ =>
        {
            if (agent.IsUp)
                agent.Crash();
            else
                agent.Start();
        }, null);
    }

    private (MemoryJournal Journal, ManagerHost Host) Boot()
    {
        var next = new MemoryJournal(disk, world.Time, new(dice.Next()));
        return (next, new(options, next, new NoPeers()));
    }

    private void Begin()
    {
        world.Run(() => host.StartAsync(CancellationToken.None), Hour);
        isUp = true;
    }

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

    private Node NodeOf(int number, NodeRole role) => new()
    {
        Id = new($"node-{number}"),
        CreatedAt = Now,
        Spec = new() { Role = role },
        Status = new() { State = NodeState.Unknown },
    };
}
