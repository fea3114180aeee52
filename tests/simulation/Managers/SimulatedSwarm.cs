using Orchestrator.Manager;
using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Node;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;
using Orchestrator.Tests.Simulation.Control;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>Whole managers, workers and clients, living through a script in virtual time.</summary>
internal sealed class SimulatedSwarm
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly World world = new();
    private readonly Script script;
    private readonly Dice dice;
    private readonly Fabric fabric;
    private readonly Oracle oracle;
    private readonly Invariants invariants = new();
    private readonly Faults faults = new();
    private readonly List<SimulatedManager> managers = [];
    private readonly List<SimulatedAgent> agents = [];
    private readonly List<Client> clients = [];
    private readonly Dictionary<NodeId, SimulatedManager> byNode = [];
    private readonly Calls calls;
    private readonly PeerId[] voters;
    private Exception? surprise;
    private ClusterState checkedState = ClusterState.Empty;

    internal SimulatedSwarm(Script script)
    {
        this.script = script;
        var plans = script.Plans;
        dice = new(plans.Seed + 0x5117);
        fabric = new(world, new(dice.Next()));
        calls = new Calls(fabric, failure => surprise ??= failure);
        for (var i = 0; i < plans.Managers + plans.Spares; i++)
        {
            var manager = new SimulatedManager(i, world, new(dice.Next()));
            managers.Add(manager);
            byNode.Add(manager.Node, manager);
        }

        oracle = new(managers, () => world.Time.GetTimestamp());
        var place = managers.Count;
        for (var i = 0; i < plans.Workers; i++)
            agents.Add(new(WorkerName(i), Dispatcher(new(calls, place++, managers, oracle)), world.Time, new(dice.Next()), faults));
        var acknowledged = new Acknowledged();
        for (var i = 0; i < plans.Clients; i++)
            clients.Add(new(place++, plans.Workers > 0, calls, fabric, managers, oracle, acknowledged, new(dice.Next())));
        voters = [managers[0].Peer]; // as in life: the others join it
        oracle.Begin(Membership.Of(voters));
        world.AfterStep = AfterStep;
    }

    internal Oracle Oracle => oracle;

    /// <summary>The whole life: begin, trouble, healing, agreement. Throws when something that must hold does not.</summary>
    internal void Live()
    {
        foreach (var manager in managers)
            Start(manager);
        Begin();
        var start = world.Time.GetTimestamp();
        foreach (var happening in script.Happenings)
        {
            Pass(TimeSpan.FromMilliseconds(happening.At) - TimeSpan.FromTicks(world.Time.GetTimestamp() - start));
            oracle.Note(happening.ToString());
            Happen(happening);
        }

        Pass(TimeSpan.FromMilliseconds(script.Plans.Milliseconds) - TimeSpan.FromTicks(world.Time.GetTimestamp() - start));
        Heal();
        Pass(TimeSpan.FromSeconds(1));
        foreach (var client in clients)
            client.Resting = true;
        Agree();
        foreach (var manager in Members.Where(m => StateSnapshot.Digest(m.Life!.Host.Cluster.Current) != oracle.Digest))
            throw new InvalidOperationException($"{manager.Node} has another state than the log makes");
    }

    /// <summary>A healed cluster loses its leader: another one leads, and not one task is restarted or moved.</summary>
    internal void ChangeLeader()
    {
        var before = Serving();
        var leader = managers.First(m => m.Life!.Host.Raft.Current.IsLeader);
        leader.Crash();
        Pass(TimeSpan.FromSeconds(8));
        Start(leader);
        Pass(TimeSpan.FromSeconds(12));
        Agree();
        var after = Serving();
        if (!before.SequenceEqual(after))
            throw new InvalidOperationException($"a leader change made of the tasks {string.Join(", ", before)} these: {string.Join(", ", after)}");
    }

    private List<string> Serving() =>
        [.. oracle.State.Tasks.Values.Where(t => t.DesiredState == TaskState.Running).Select(t => $"{t.Id} on {t.NodeId} since {t.RunningSince?.Ticks}").Order(StringComparer.Ordinal)];

    private void Agree()
    {
        if (!world.RunUntil(() => surprise is not null || Missing() is null, Patience))
            throw new InvalidOperationException("the healed cluster does not agree: " + Missing());
        ThrowSurprise();
    }

    private static NodeId WorkerName(int number) => new($"w{number + 1}");

    private static Func<AgentLink> Dispatcher(AgentLink link) => () => link;

    private void Pass(TimeSpan length)
    {
        if (length > TimeSpan.Zero)
            world.RunUntil(() => surprise is not null, length);
        ThrowSurprise();
    }

    private void ThrowSurprise()
    {
        if (surprise is { } failure)
            throw new InvalidOperationException(failure.Message, failure);
    }

    /// <summary>The cluster's first entries, by its first client.</summary>
    private void Begin()
    {
        var client = clients[0];
        var init = new InitSwarm(new() { Id = "swarm" }, NodeOf(managers[0]) with { ManagerStatus = new() { Addr = managers[0].Node.Value, Member = managers[0].Peer.Value } }) { At = fabric.Now, RequestId = client.NextRequest() };
        var made = world.Run(() => client.WriteAsync(init), Patience);
        if (made.Refusal is { } refusal)
            throw new InvalidOperationException(refusal.Message);
        var others = managers.Skip(1).Select(NodeOf).Concat(agents.Select(a => NodeOf(a.Node, NodeRole.Worker)));
        foreach (var node in others.ToList())
        {
            var join = new JoinNode(node) { At = fabric.Now, RequestId = client.NextRequest() };
            world.Run(() => client.WriteAsync(join), Patience);
        }

        foreach (var manager in managers.Take(script.Plans.Managers).Skip(1))
        {
            var added = new TaskCompletionSource();
            for (var asked = 0; !added.Task.IsCompleted; asked++)
            {
                if (asked > 30)
                    throw new InvalidOperationException($"{manager.Node} does not become a voter");
                AskLeader((host, stop) => AdmitAsync(host, manager, added, stop));
                world.RunUntil(() => added.Task.IsCompleted, TimeSpan.FromSeconds(2));
                ThrowSurprise();
            }
        }

        for (var i = 0; i < 3; i++)
        {
            var register = new CreateSecret("register" + i, new() { Name = "register-" + i, Data = [1] }) { At = fabric.Now, RequestId = client.NextRequest() };
            world.Run(() => client.WriteAsync(register), Patience);
        }

        foreach (var agent in agents)
            world.Post(_ => agent.Start(), null);
        foreach (var each in clients)
            world.Post(_ => _ = LiveAsync(each), null);
    }

    private static async Task AdmitAsync(ManagerHost leader, SimulatedManager manager, TaskCompletionSource added, CancellationToken stop)
    {
        await leader.ControlFor(manager.Node).AdmitAsync(manager.Request, stop);
        added.TrySetResult();
    }

    private async Task LiveAsync(Client client)
    {
        try
        {
            await client.LiveAsync();
        }
        catch (Exception failure)
        {
            surprise ??= failure;
        }
    }

    /// <summary>As a join makes it: the number comes with the admission.</summary>
    private Node NodeOf(SimulatedManager manager) => NodeOf(manager.Node, NodeRole.Manager) with { ManagerStatus = new() { Addr = manager.Node.Value } };

    private Node NodeOf(NodeId id, NodeRole role) => new()
    {
        Id = id,
        CreatedAt = fabric.Now,
        Spec = new() { Role = role },
        Status = new() { State = NodeState.Unknown },
    };

    private void Start(SimulatedManager manager) =>
        manager.Start(manager.Number == 0 && !manager.WasWiped ? voters : [], script.Plans, n => byNode.GetValueOrDefault(n),
            ControlWire.Caller(calls, manager, managers, world.Time), fabric, oracle);

    private void Happen(Happening happening)
    {
        var (_, fate, a, b) = happening;
        switch (fate)
        {
            case Fate.Cut:
                fabric.Cut(a, b);
                break;
            case Fate.Isolate:
                Divide(p => p == a, script.Plans.Places);
                break;
            case Fate.Divide:
                Divide(p => (a >> p & 1) == 1, managers.Count);
                break;
            case Fate.Heal:
                fabric.Heal();
                break;
            case Fate.Crash:
                managers[a].Crash();
                break;
            case Fate.CrashAll:
                managers.ForEach(m => m.Crash());
                break;
            case Fate.Start:
                foreach (var manager in managers.Where(m => m.Life is null && (a < 0 || m.Number == a)))
                    Start(manager);
                break;
            case Fate.Pause when managers[a].Life is { } life:
                life.Machine.Pause();
                fabric.After(TimeSpan.FromMilliseconds(b), life.Machine.Resume);
                break;
            case Fate.SlowDisk:
                managers[a].Disk.Slowness = TimeSpan.FromMilliseconds(b);
                break;
            case Fate.FailDisk:
                managers[a].Disk.Fails = managers[a].Life is not null;
                break;
            case Fate.Skew:
                managers[a].Skew.Set(b, TimeSpan.FromMilliseconds(100 * b));
                break;
            case Fate.Transfer:
                AskLeader((host, stop) => host.Raft.TransferAsync(managers[a].Peer, stop));
                break;
            case Fate.Add:
                Add(managers[a]);
                break;
            case Fate.Remove:
                AskLeader((host, stop) => RemoveAsync(host.Raft, managers[a], stop));
                break;
            case Fate.Replace:
                managers[a].Crash();
                managers[a].Wipe();
                managers[a].AsksIn = true;
                Start(managers[a]);
                break;
            case Fate.Lose:
                (fabric.LossPercent, fabric.DoublePercent) = (a, b);
                break;
            case Fate.SlowNetwork:
                fabric.Slowness = TimeSpan.FromMilliseconds(a);
                break;
            case Fate.Cycle:
                var agent = agents[a];
                world.Post(_ => Cycle(agent), null);
                break;
            default:
                break; // it needs something that is not there at the moment
        }
    }

    private void AskLeader(Func<ManagerHost, CancellationToken, Task> ask)
    {
        if (managers.Find(m => m.Life?.Host.Raft.Current.IsLeader ?? false)?.Life is { } leader)
            leader.Machine.Run(() => _ = AskAsync(leader.Host, ask));
    }

    private async Task AskAsync(ManagerHost leader, Func<ManagerHost, CancellationToken, Task> ask)
    {
        try
        {
            await ask(leader, CancellationToken.None);
        }
        catch (Exception failure) when (failure is NotLeaderException or ProposalDroppedException or MembershipException or RpcException)
        {
            oracle.Note(failure.Message);
        }
    }

    private static async Task RemoveAsync(RaftNode raft, SimulatedManager manager, CancellationToken stop)
    {
        await raft.RemoveMemberAsync(manager.Peer, stop);
        manager.IsRemoved = true;
    }

    /// <summary>Who was put out comes back as a new one: it has deleted its journal.</summary>
    private void Add(SimulatedManager manager)
    {
        if (manager.IsRemoved)
        {
            manager.Crash();
            manager.Wipe();
            Start(manager);
        }

        var request = manager.Request;
        AskLeader((host, stop) => host.ControlFor(manager.Node).AdmitAsync(request, stop));
    }

    private static void Cycle(SimulatedAgent agent)
    {
        if (agent.IsUp)
            agent.Crash();
        else
            agent.Start();
    }

    private void Divide(Func<int, bool> one, int places)
    {
        for (var from = 0; from < places; from++)
        {
            for (var to = 0; to < places; to++)
            {
                if (one(from) != one(to))
                    fabric.Cut(from, to);
            }
        }
    }

    private void Heal()
    {
        oracle.Note("healed");
        fabric.Heal();
        faults.Active = false;
        foreach (var manager in managers)
        {
            manager.Disk.Slowness = TimeSpan.Zero;
            manager.Disk.Fails = false;
            manager.Life?.Machine.Resume();
            if (manager.Life is null)
                Start(manager);
        }

        foreach (var agent in agents.Where(a => !a.IsUp))
            world.Post(_ => agent.Start(), null);
    }

    /// <summary>As the leader sees it; who was left out may think what it likes.</summary>
    private IEnumerable<SimulatedManager> Members =>
        managers.First(m => m.Life!.Host.Raft.Current.IsLeader).Life!.Host.Raft.Members is var all
            ? managers.Where(m => all.Voters.Contains(m.Peer) || all.Learners.Contains(m.Peer))
            : [];

    private string? Missing()
    {
        if (clients.Find(c => !c.IsIdle) is not null)
            return "a client still waits for its answer";
        if (managers.Find(m => m.Life is null) is { } down)
            return $"{down.Node} is down";
        if (managers.Count(m => m.Life!.Host.Raft.Current.IsLeader) != 1)
            return "there is not one leader";
        if (managers.Find(m => m.AsksIn && !Members.Contains(m)) is { } outside)
            return $"{outside.Node} is not taken in";
        if (Members.FirstOrDefault(m => m.Life!.Host.Cluster.Current.Index != oracle.State.Index) is { } behind)
            return $"{behind.Node} is at {behind.Life!.Host.Cluster.Current.Index} of {oracle.State.Index}";
        if (agents.Count == 0)
            return null;
        var managing = managers.Select(m => m.Node); // they run no agents here
        return Convergence.Missing(oracle.State with { Nodes = oracle.State.Nodes.RemoveRange(managing) }, agents);
    }

    private void AfterStep()
    {
        oracle.Check();
        if (agents.Count > 0 && !ReferenceEquals(checkedState, oracle.State))
        {
            checkedState = oracle.State;
            invariants.Check(checkedState, agents);
        }

        foreach (var manager in managers)
        {
            if (manager.Disk.Fails && manager.Life is { } life && (life.Host.Failed.IsFaulted || life.Starting.IsFaulted))
                manager.Crash(); // its daemon stops; somebody has to start it
        }
    }
}
