using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Dispatch;
using Orchestrator.Manager.Leadership;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Node;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Manager.Raft.Transport;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager;

/// <summary>One manager, composed: journal, Raft voter, state, and the rooms that run while it leads.</summary>
internal sealed class ManagerHost : IAsyncDisposable
{
    private readonly IJournal journal;
    private readonly IPeerNetwork network;
    private readonly RaftNode raft;
    private readonly Cluster cluster;
    private readonly Dispatcher dispatcher;
    private readonly LeaderRooms rooms;
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task running = Task.CompletedTask;
    private bool disposed;

    /// <summary>A manager over the journal that the options name, voting alone.</summary>
    internal ManagerHost(ManagerOptions options)
        : this(
            options,
            Journals.Open(JournalOf(options)),
            new RpcPeerNetwork(
                _ => null, options.Time, options.Logs.CreateLogger<RpcPeerNetwork>(), () => Fraction(options.Random)))
    {
    }

    /// <param name="voter">Its number, its peers and the lengths of its log; null: it votes alone.</param>
    internal ManagerHost(ManagerOptions options, IJournal journal, IPeerNetwork network, RaftNodeOptions? voter = null)
    {
        this.journal = journal;
        this.network = network;
        var ids = new IdSource(options.Random);
        cluster = new(Number(options.Random));
        raft = new(
            voter ?? new() { Self = Voter(options.NodeId), Voters = [Voter(options.NodeId)] }, journal, network, cluster, options.Time, options.Logs.CreateLogger<RaftNode>(),
            bound => (int)(Number(options.Random) % (ulong)Math.Max(1, bound)));
        cluster.ProposeThrough(raft);
        dispatcher = new(cluster, LeaderAddress, options.Time, ids, () => Fraction(options.Random), options.Logs.CreateLogger<Dispatcher>());
        rooms = new(raft, new(cluster, options.Time, ids, options.Logs.CreateLogger<ControlLoop>()), dispatcher, options.Logs.CreateLogger<LeaderRooms>());
    }

    internal ICluster Cluster => cluster;

    internal IDispatcher Dispatcher => dispatcher;

    internal RaftNode Raft => raft;

    /// <summary>Never completes while all is well; faults when the manager can't go on and its host has to stop.</summary>
    internal Task Failed => failed.Task;

    /// <summary>Whether a manager lived under this data root: the daemon starts it again.</summary>
    internal static bool Exists(string dataRoot) => Directory.Exists(JournalDirectory(dataRoot));

    /// <summary>Where <c>swarm leave</c> deletes what the manager kept.</summary>
    internal static string JournalDirectory(string dataRoot) => Path.Combine(dataRoot, "manager");

    /// <summary>The journal of a manager with these options.</summary>
    internal static JournalOptions JournalOf(ManagerOptions options) => new()
    {
        Directory = JournalDirectory(options.DataRoot),
        PersistenceId = options.NodeId.Value,
        Time = options.Time,
        Server = options.Journal,
        UnlockKey = options.UnlockKey,
        Log = options.Logs.CreateLogger("Orchestrator.Manager.Raft.Storage.Journal"),
    };

    /// <summary>Restores the state, starts the voter and the rooms, and completes when a leader is known and this state is up to date.</summary>
    /// <exception cref="JournalException">The journal is damaged or in use; the message says what to do.</exception>
    internal async Task StartAsync(CancellationToken stop)
    {
        await raft.StartAsync(stop);
        running = RunAsync();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, stopping.Token);
        await foreach (var status in raft.WatchLeadershipAsync(either.Token))
        {
            if (status.IsLeader || failed.Task.IsFaulted)
                break;
        }

        if (failed.Task.IsFaulted)
            await failed.Task;
    }

    /// <summary>Makes the cluster: its first entry, with this node as the first.</summary>
    internal Task<Outcome> InitAsync(InitSwarm command, CancellationToken stop) => cluster.ProposeAsync(command, stop);

    internal async Task StopAsync()
    {
        if (!stopping.IsCancellationRequested)
            stopping.Cancel();
        await running;
    }

    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        await StopAsync();
        await network.DisposeAsync();
        await journal.DisposeAsync();
        stopping.Dispose();
    }

    private async Task RunAsync()
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        Task[] loops = [raft.RunAsync(ending.Token), rooms.RunAsync(ending.Token)];
        await Task.WhenAny(loops);
        if (!stopping.IsCancellationRequested && loops.FirstOrDefault(l => l.IsFaulted)?.Exception is { } failure)
            failed.TrySetException(failure.InnerExceptions);
        ending.Cancel(); // neither goes on without the other
        await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    /// <summary>Where others find the manager that leads; null: not known here.</summary>
    private string? LeaderAddress() => raft.Current.Leader is { } leads
        ? cluster.Current.Nodes.Values.FirstOrDefault(n => n.ManagerStatus is not null && Voter(n.Id) == leads)?.ManagerStatus!.Addr
        : null;

    /// <summary>A voter's number is made from its node's id, so that it needs no registry and survives restarts.</summary>
    internal static PeerId Voter(NodeId node) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(node.Value))) | 1);

    private static ulong Number(RandomFill random)
    {
        Span<byte> bytes = stackalloc byte[8];
        random(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    private static double Fraction(RandomFill random) => (Number(random) >> 11) / (double)(1UL << 53);
}
