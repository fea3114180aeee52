using System.Buffers.Binary;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Node;
using Orchestrator.Manager.Roles;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Tests.Simulation.Control;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>One life of a manager: from its start to its crash.</summary>
internal sealed record Life(Machine Machine, ManagerHost Host, ManagerJournal Journal, PeerWire Peers, Task Starting)
{
    /// <summary>The newest state seen of it.</summary>
    internal ClusterState Seen { get; set; } = ClusterState.Empty;

    /// <summary>Its asking to be taken in.</summary>
    internal Task Asking { get; set; } = Task.CompletedTask;

    /// <summary>When it was last seen leading, in the world's time.</summary>
    internal long LedAt { get; set; } = long.MinValue;
}

/// <summary>A host with a manager on it: its disk and its clock outlive the process.</summary>
internal sealed class SimulatedManager
{
    private readonly World world;
    private readonly Dice dice;

    internal SimulatedManager(int number, World world, Dice dice)
    {
        Number = number;
        this.world = world;
        this.dice = dice;
        Node = new($"m{number + 1}");
        Peer = new(MemberNumber.Draw(Fill));
        Skew = new(world.Time);
    }

    /// <summary>From zero; its name counts from one.</summary>
    internal int Number { get; }

    internal NodeId Node { get; }

    /// <summary>Its number: another one for every journal that it begins with.</summary>
    internal PeerId Peer { get; private set; }

    /// <summary>The numbers that it had before, with the disks that are gone: Raft counts them as voters that are down.</summary>
    internal Dictionary<PeerId, ManagerDisk> Former { get; } = [];

    internal bool Is(PeerId peer) => peer == Peer || Former.ContainsKey(peer);

    /// <summary>It lost its disk: from then on it asks to be taken in by itself, whenever it is started.</summary>
    internal bool AsksIn { get; set; }

    internal ManagerDisk Disk { get; private set; } = new();

    /// <summary>The disk that goes with a number.</summary>
    internal ManagerDisk? DiskOf(PeerId peer) => peer == Peer ? Disk : Former.GetValueOrDefault(peer);

    internal Skew Skew { get; }

    /// <summary>Null while it is down.</summary>
    internal Life? Life { get; private set; }

    /// <summary>It was put out of the cluster: it starts with an empty disk when it is taken in again.</summary>
    internal bool IsRemoved { get; set; }

    /// <summary>Every entry that it was ever asked to write and that no later one replaced, synced or not.</summary>
    internal Dictionary<ulong, Entry> Log { get; } = [];

    internal void Start(IEnumerable<PeerId> voters, Plans plans, Func<NodeId, SimulatedManager?> find, ControlCaller leader, Fabric fabric, Oracle oracle)
    {
        var machine = new Machine(world);
        var journal = new ManagerJournal(Disk, world.Time, new(dice.Next()), write => oracle.Asked(this, write), meta => oracle.Installed(this, meta));
        var peers = new PeerWire(fabric, this, machine, find, oracle.Sent);
        var options = new ManagerOptions
        {
            NodeId = Node,
            Member = Peer.Value,
            Address = Node.Value,
            DataRoot = "/nowhere",
            Logs = NullLoggerFactory.Instance,
            Time = new SkewedTime(world.Time, Skew, machine),
            Random = Fill,
        };
        var voter = new RaftNodeOptions
        {
            Self = Peer,
            Voters = [.. voters],
            SnapshotEntries = (ulong)plans.SnapshotEntries,
            KeepEntries = (ulong)plans.KeepEntries,
            Raft = new() { PieceBytes = 1000 + (100 * plans.KeepEntries) },
        };
        var host = new ManagerHost(options, journal, peers, voter);
        var starting = new TaskCompletionSource();
        var life = Life = new(machine, host, journal, peers, starting.Task);
        var admission = AsksIn ? new Admission(Request, (Cluster)host.Cluster, host.Managers, leader, options.Time, NullLogger.Instance) : null;
        machine.Run(() => _ = StartAsync(host, starting));
        machine.Run(() => life.Asking = admission?.RunAsync(CancellationToken.None) ?? Task.CompletedTask);
    }

    /// <summary>What it says when it asks to be taken in.</summary>
    internal AdmitRequest Request => new() { NodeId = Node, Member = Peer.Value, Address = Node.Value };

    private static async Task StartAsync(ManagerHost host, TaskCompletionSource starting)
    {
        try
        {
            await host.StartAsync(CancellationToken.None);
            starting.TrySetResult();
        }
        catch (Exception failure)
        {
            starting.TrySetException(failure);
        }
    }

    /// <summary>Its voters are whoever a leader names.</summary>
    internal bool WasWiped { get; private set; }

    internal void Wipe()
    {
        Former.Add(Peer, Disk);
        Disk = new() { Slowness = Disk.Slowness };
        Log.Clear();
        Peer = new(MemberNumber.Draw(Fill));
        (WasWiped, IsRemoved) = (true, false);
    }

    internal void Crash()
    {
        if (Life is not { } life)
            return;
        Life = null;
        life.Machine.Kill();
        life.Journal.Crash();
        foreach (var index in Log.Keys.Where(i => !Disk.Holds(i, Log[i].Term)).ToList())
            Log.Remove(index);
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
}
