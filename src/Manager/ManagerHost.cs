using System.Buffers.Binary;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Certificates;
using Orchestrator.Manager.Dispatch;
using Orchestrator.Manager.Leadership;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Node;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Manager.Raft.Transport;
using Orchestrator.Manager.Roles;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Manager;

/// <summary>One manager, composed: journal, Raft voter, state, and the rooms that run while it leads.</summary>
internal sealed class ManagerHost : IAsyncDisposable
{
    private readonly ManagerOptions options;
    private readonly ILogger log;
    private readonly IJournal journal;
    private readonly IPeerNetwork network;
    private readonly RaftNode raft;
    private readonly Cluster cluster;
    private readonly Dispatcher dispatcher;
    private readonly LeaderRooms rooms;
    private readonly RpcPeerNetwork? rpc;
    private readonly PeerBook peers;
    private readonly RaftManagers managers;
    private readonly Forwarding forwarding;
    private readonly Admission admission;
    private readonly JournalKeys keys;
    private readonly PeerId self;
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task running = Task.CompletedTask;
    private bool disposed;

    /// <summary>A manager over the journal that the options name.</summary>
    internal ManagerHost(ManagerOptions options)
        : this(options, Journals.Open(JournalOf(options)), network: null)
    {
    }

    /// <param name="network">Null: over gRPC, to the managers that the options reach.</param>
    /// <param name="voter">Its number, its peers and the lengths of its log; null: as the options say.</param>
    internal ManagerHost(ManagerOptions options, IJournal journal, IPeerNetwork? network, RaftNodeOptions? voter = null)
    {
        this.options = options;
        this.journal = journal;
        var ids = new IdSource(options.Random);
        voter ??= new()
        {
            Self = NumberOf(options),
            Voters = options.Birth == ManagerBirth.Joining ? [] : [NumberOf(options)],
            BeginAnew = options.Birth == ManagerBirth.Anew,
        };
        self = voter.Self;
        log = options.Logs.CreateLogger("Orchestrator.Manager.Roles");
        cluster = new(Number(options.Random));
        peers = new(() => cluster.Current, options.Told, options.Connect, options.Time);
        this.network = network ?? (rpc = new RpcPeerNetwork(peers.Reach, options.Time, options.Logs.CreateLogger<RpcPeerNetwork>(), () => Fraction(options.Random))
        {
            Address = options.Address,
            Heard = Heard,
        });
        raft = new(
            voter, journal, this.network, cluster, options.Time, options.Logs.CreateLogger<RaftNode>(),
            bound => (int)(Number(options.Random) % (ulong)Math.Max(1, bound)));
        keys = new(journal, raft, cluster, options.UnlockKey, options.Time);
        managers = new(options.NodeId, new(self.Value), cluster, raft);
        forwarding = new(cluster, self, raft, new ControlLink(peers.Control), options.Time);
        var leader = new ControlCaller(() => peers.All, peers.Control, options.Time);
        admission = new(new() { NodeId = options.NodeId, Member = self.Value, Address = options.Address }, cluster, managers, leader, options.Time, log);
        Departure = new(options.NodeId, managers, leader, options.Time, log);
        Certificates = new CertificateService(cluster, options.Time, options.Logs.CreateLogger<CertificateService>());
        Stopping = stopping.Token;
        cluster.ProposeThrough(raft);
        cluster.ForwardThrough(forwarding);
        cluster.GuardBy((state, command) => command is UpdateNode or LeaveNode ? RolePlan.Refuse(state, managers.View, command) : null);
        dispatcher = new(cluster, LeaderAddress, options.Time, ids, () => Fraction(options.Random), options.Logs.CreateLogger<Dispatcher>());
        rooms = new(
            raft,
            [
                new ControlLoop(cluster, options.Time, ids, options.Logs.CreateLogger<ControlLoop>()).RunAsync,
                dispatcher.RunAsync,
                new RoleLoop(cluster, managers, options.Time, log).RunAsync,
                new RotationLoop(cluster, options.Random, options.Time, options.Logs.CreateLogger<RotationLoop>()).RunAsync,
            ],
            options.Logs.CreateLogger<LeaderRooms>());
    }

    internal ICluster Cluster => cluster;

    internal IDispatcher Dispatcher => dispatcher;

    /// <summary>The consensus' members.</summary>
    internal IManagers Managers => managers;

    /// <summary>Raft's way in from other managers; null where the network is another one.</summary>
    internal RpcPeerNetwork? Peers => rpc;

    /// <summary>The cluster's CA, as any manager answers for it.</summary>
    internal ICertificates Certificates { get; }

    /// <summary>How this manager goes.</summary>
    internal Departure Departure { get; }

    /// <summary>What opened the journal, for who starts this manager again.</summary>
    internal byte[]? UnlockKey => cluster.Current.Security?.UnlockKey ?? options.UnlockKey;

    /// <summary>Fires when this manager is stopped.</summary>
    internal CancellationToken Stopping { get; }

    /// <summary>What the state says against a caller whose certificate is in order; null: nothing.</summary>
    internal string? Refuse(PeerIdentity peer, RpcAccess access) => PeerGate.Refuse(cluster.Current, peer, access);

    /// <summary>The leader's answers to one caller.</summary>
    internal IControl ControlFor(NodeId caller) =>
        new ControlService(cluster, managers, caller, options.Time, options.Logs.CreateLogger("Orchestrator.Manager.Roles"));

    internal RaftNode Raft => raft;

    /// <summary>Where the other managers are.</summary>
    internal PeerBook Book => peers;

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
        PersistenceId = options.Member is { } member ? $"{options.NodeId}-{member:x16}" : options.NodeId.Value,
        Time = options.Time,
        Server = options.Journal,
        UnlockKey = options.UnlockKey,
        SyncDirectory = options.SyncDirectory,
        Log = options.Logs.CreateLogger("Orchestrator.Manager.Raft.Storage.Journal"),
    };

    /// <summary>
    /// Restores the state, starts the voter and the rooms. One that votes alone has taken up its leadership when this completes; with others it may
    /// take them a while to elect one, or a majority may be missing.
    /// </summary>
    /// <exception cref="JournalException">The journal is damaged or in use; the message says what to do.</exception>
    internal async Task StartAsync(CancellationToken stop)
    {
        await raft.StartAsync(stop);
        running = RunAsync();
        if (raft.Members.Voters is not [var only] || only != self)
            return;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, stopping.Token);
        await foreach (var status in raft.WatchLeadershipAsync(either.Token))
        {
            if (status.IsLeader || failed.Task.IsFaulted)
                break;
        }

        if (failed.Task.IsFaulted)
            await failed.Task;
    }

    /// <summary>Completes when this manager votes and knows the cluster.</summary>
    internal async Task AdmittedAsync(CancellationToken stop)
    {
        await foreach (var _ in raft.WatchMembersAsync(stop))
        {
            if (managers.View.Of(options.NodeId) is { Votes: true })
                break;
        }

        while (cluster.Current is { Swarm: null } empty)
            await cluster.NewerThanAsync(empty.Index, stop);
    }

    /// <summary>After a beginning anew: writes down that the other managers are none any more.</summary>
    internal Task<Outcome> BeginAnewAsync(BeginAnew command, CancellationToken stop) => cluster.ProposeAsync(command, stop);

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
        peers.Dispose();
        forwarding.Dispose();
        await journal.DisposeAsync();
        stopping.Dispose();
    }

    /// <summary>Takes the links to peers whose address changed down; the next message finds the new one.</summary>
    private async Task WatchPeersAsync(CancellationToken stop)
    {
        var before = ImmutableDictionary<PeerId, string>.Empty;
        while (true)
        {
            var state = cluster.Current;
            var now = state.Nodes.Values.Where(n => n.ManagerStatus is not null)
                .ToImmutableDictionary(n => new PeerId(MemberNumber.Of(n.Id, n.ManagerStatus!.Member).Value), n => n.ManagerStatus!.Addr);
            foreach (var (peer, address) in now)
            {
                if (before.TryGetValue(peer, out var former) && former != address)
                    rpc?.Moved(peer);
            }

            before = now;
            await cluster.NewerThanAsync(state, StateParts.Members, stop);
        }
    }

    /// <summary>Never completes while all is well, as the other loops.</summary>
    private Task AdmitAsync(CancellationToken stop) =>
        options.Connect is not null ? admission.RunAsync(stop) : Task.Delay(Timeout.InfiniteTimeSpan, options.Time, stop);

    private async Task RunAsync()
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        (string Name, Task Run)[] loops =
        [
            ("raft", raft.RunAsync(ending.Token)), ("leader's rooms", rooms.RunAsync(ending.Token)), ("forwarding", forwarding.RunAsync(ending.Token)),
            ("peers", WatchPeersAsync(ending.Token)), ("key rotation", keys.RotateAsync(ending.Token)), ("key protection", keys.ProtectAsync(ending.Token)),
            ("admission", AdmitAsync(ending.Token)),
        ];
        await Task.WhenAny(loops.Select(l => l.Run));
        if (!stopping.IsCancellationRequested && loops.FirstOrDefault(l => l.Run.IsFaulted).Run?.Exception is { } failure)
            failed.TrySetException(failure.InnerExceptions);
        ending.Cancel(); // neither goes on without the other
        await SlowEnd.WatchAsync(
                Task.WhenAll(loops.Select(l => l.Run)), () => $"manager: {string.Join(", ", loops.Where(l => !l.Run.IsCompleted).Select(l => l.Name))}", options.Time, log)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    /// <summary>Where others find the manager that leads; null: not known here.</summary>
    private string? LeaderAddress() => raft.Current.Leader is { } leads ? peers.Find(leads)?.Address : null;

    private void Heard(PeerId peer, RpcServerCall call)
    {
        if (call.Peer is { } by && call.Metadata[RaftMethods.AddressHeader] is { Length: > 0 } address)
            peers.Heard(peer, new() { NodeId = by.NodeId, Address = address });
    }

    private static PeerId NumberOf(ManagerOptions options) => new(MemberNumber.Of(options.NodeId, options.Member).Value);

    private static ulong Number(RandomFill random)
    {
        Span<byte> bytes = stackalloc byte[8];
        random(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    private static double Fraction(RandomFill random) => (Number(random) >> 11) / (double)(1UL << 53);
}
