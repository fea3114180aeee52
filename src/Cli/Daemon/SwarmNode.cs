using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orchestrator.Cli.Daemon.Reach;
using Orchestrator.Manager;
using Orchestrator.Manager.Api;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;
using Orchestrator.Worker;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Daemon;

/// <summary>This node's life in a cluster: begun by init or join or found on disk, changed by roles, ended by leave. Its changes take turns.</summary>
/// <param name="worker">Whose containers the cluster runs.</param>
/// <param name="local">The way to this process's own manager: over the daemon's own socket, as a node's agent speaks to any manager.</param>
/// <param name="options">The daemon's.</param>
/// <param name="time">The clock.</param>
/// <param name="logs">For the manager's rooms.</param>
internal sealed partial class SwarmNode(WorkerHost worker, IDispatcher local, DaemonOptions options, TimeProvider time, ILoggerFactory logs)
    : ISwarmNode, IAsyncDisposable
{
    private readonly MemberFiles _files = new(options.DataRoot, logs.CreateLogger("Orchestrator.Cli.Daemon"));
    private readonly ILogger _log = logs.CreateLogger("Orchestrator.Cli.Daemon");
    private readonly SemaphoreSlim _turn = new(1);
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly JournalRoom? _room = options.Journal is null
        ? new(Path.Combine(options.DataRoot, "manager"), () => new DriveInfo(options.DataRoot).AvailableFreeSpace, () => new DriveInfo(options.DataRoot).TotalFreeSpace)
        : null;
    private volatile SwarmMember? _member;

    public RunningManager? Manager => _member is { Ready: true, Manager: { } manager, Logs: { } taskLogs } member
        ? new RunningManager(member.Identity.NodeId, manager.Cluster, taskLogs) { Managers = manager.Managers, Room = _room }
        : null;

    public string Obstacle => _member switch
    {
        { Locked: true } => "Swarm is encrypted and needs to be unlocked before it can be used. Please use \"orch swarm unlock\" (or \"docker swarm unlock\") to unlock it.",
        { Ready: true } member =>
            "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager."
            + (member.Others.Count > 0 ? $" The managers: {string.Join(", ", member.Others.Select(m => m.Address))}." : ""),
        _ => ClusterDoor.NoManager,
    };

    /// <summary>What answers agents; also while init has not finished.</summary>
    internal IDispatcher? Dispatcher => _member?.Manager?.Dispatcher;

    /// <summary>Answers managers of this host's containers; set before the node takes its part up.</summary>
    internal ReachDoor? Door { get; set; }

    /// <summary>The way to other nodes' containers; null: this node is no member.</summary>
    internal NodeReach? Reach => _member is { Ready: true } member ? member.Reach : null;

    /// <summary>Who calls over the daemon's own socket: this node.</summary>
    internal PeerIdentity? Self => _member is { Identity: { } identity } member
        ? member.Credentials.Current.Self with { Role = identity.Worker ? NodeRole.Worker : NodeRole.Manager }
        : null;

    /// <summary>Faults when a part of this node cannot go on.</summary>
    internal Task Failed => _failed.Task;

    /// <summary>Takes the node's part up again after a restart, and finishes or undoes what a crash broke.</summary>
    internal async Task ResumeAsync(CancellationToken stop)
    {
        if (_files.Identity.Read() is not { } identity)
        {
            // Init and join write the identity last: what lies here without one never became a member.
            _files.Forget();
            return;
        }

        if (identity.Worker)
            _files.DropJournal(); // demoted, and not quite done
        else if (!_files.HasJournal)
            identity = _files.BornAgain(identity);
        var credentials = _files.ReadCredentials();
        if (credentials is null && (identity.Worker || identity.Joined))
            throw new DaemonException($"the certificate of node {identity.NodeId} is missing below {_files.Identity.Directory}; put it back, or remove that directory and join again");
        var member = Make(identity, credentials ?? await FoundAuthorityAsync(identity, stop));
        try
        {
            if (!identity.Worker)
                await TryStartManagerAsync(member, identity.BeginsAnew ? ManagerBirth.Anew : Birth(identity), unlockKey: null, stop);
            if (identity.BeginsAnew && member.Manager is not null)
                await FinishBeginningAnewAsync(member, stop);
            await OpenAsync(member, stop);
        }
        catch
        {
            await EndAsync(member);
            throw;
        }
    }

    /// <summary>The node's part as <c>/info</c> tells it.</summary>
    internal SwarmInfo Info()
    {
        if (_member is not { Ready: true } member)
            return new SwarmInfo();
        var info = new SwarmInfo
        {
            NodeId = member.Identity.NodeId.Value,
            NodeAddr = member.Identity.Address,
            LocalNodeState = member.Locked ? "locked" : "active",
            RemoteManagers = [.. member.Dispatcher.Managers.Select(m => new PeerNode { NodeId = m.NodeId.Value, Addr = m.Address })],
        };
        if (member.Manager is not { } manager)
            return info;
        var state = manager.Cluster.Current;
        return info with
        {
            ControlAvailable = true,
            RemoteManagers =
            [
                .. state.Nodes.Values.Where(n => n.ManagerStatus is not null)
                    .Select(n => new PeerNode { NodeId = n.Id.Value, Addr = n.ManagerStatus!.Addr }),
            ],
            Nodes = state.Nodes.Count,
            Managers = state.Nodes.Values.Count(n => n.ManagerStatus is not null),
            Cluster = state.Security is { } security ? security.Show(state.Swarm) : state.Swarm,
        };
    }

    /// <summary>The first step of the daemon's end, while everything still answers: leadership goes to another manager.</summary>
    internal async ValueTask StepAsideAsync()
    {
        if (_member?.Manager is { } manager)
            await manager.Departure.ForAWhileAsync(TimeSpan.FromSeconds(1));
    }

    /// <summary>Stops agent and manager; the tasks' containers run on.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_member is { } member)
            await EndAsync(member);
        _turn.Dispose();
    }

    private SwarmMember Make(NodeIdentity identity, NodeCredentials credentials)
    {
        SwarmMember? made = null;
        made = new SwarmMember(
            identity, credentials, _files.Credentials, local, assignments => Heard(made!, assignments), new LoopSupervisor(time, _log, Jitter), time, Jitter, _log);
        return _member = made;
    }

    private static ManagerBirth Birth(NodeIdentity identity) => identity.Joined ? ManagerBirth.Joining : ManagerBirth.First;

    /// <summary>Starts the manager, or notes that its journal is locked.</summary>
    private async Task TryStartManagerAsync(SwarmMember member, ManagerBirth birth, byte[]? unlockKey, CancellationToken stop)
    {
        try
        {
            await StartManagerAsync(member, birth, unlockKey, stop);
        }
        catch (JournalLockedException locked)
        {
            member.Locked = true;
            _log.ManagerLocked(locked.Message);
        }
    }

    private async Task StartManagerAsync(SwarmMember member, ManagerBirth birth, byte[]? unlockKey, CancellationToken stop)
    {
        var host = new ManagerHost(new ManagerOptions
        {
            NodeId = member.Identity.NodeId,
            Member = member.Identity.Member,
            DataRoot = options.DataRoot,
            Journal = options.Journal,
            SyncDirectory = FileOps.SyncDirectory,
            UnlockKey = unlockKey,
            Birth = birth,
            Address = member.Identity.ClusterAddr,
            Connect = member.Connect,
            Told = () => member.Dispatcher.Managers,
            Logs = logs,
            Time = time,
        });
        try
        {
            await host.StartAsync(stop);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }

        member.Logs = new(member.Identity.NodeId, worker.TaskLogs, member.Reach.Links, host.Cluster, time);
        member.Manager = host;
        member.Locked = false;
        if (member.Ready)
            Follow(member, host);
    }

    /// <summary>Opens the cluster port and the node to the API, and starts the agent.</summary>
    private async Task OpenAsync(SwarmMember member, CancellationToken stop)
    {
        if (ClusterEndpoints.Parse(member.Identity.ListenAddr) is not System.Net.IPEndPoint listen)
            throw new DaemonException($"the listening address '{member.Identity.ListenAddr}' of this node's identity is none");
        var rpc = Services(member);
        var door = Door ?? throw new InvalidOperationException("the engine is not mapped yet");
        member.Listener = await ClusterListener.StartAsync(
            listen, member.Credentials, rpc, http => door.HandleAsync(http, rpc, peer => RefuseReach(member, peer)), time, logs, stop);
        member.Loops.Start("agent", token => worker.RunAgentAsync(member.Dispatcher, member.Identity.NodeId, token), WhenLoopFails.FailHost);
        member.Loops.Start("certificate", member.Renewal.RunAsync, WhenLoopFails.Restart);
        member.Loops.Start("roles", token => ObeyAsync(member, token), WhenLoopFails.Restart);
        if (member.Manager is { } manager)
            Follow(member, manager);
        member.Ready = true;
        member.Watching = WatchAsync(member);
        _log.IsMember(member.Identity.NodeId.Value, member.Identity.Worker ? "worker" : "manager", member.Identity.ClusterId, member.Identity.ClusterAddr);
    }

    /// <summary>What other nodes may ask of this one; each by what their certificate and the state say.</summary>
    private RpcServer Services(SwarmMember member)
    {
        var rpc = new RpcServer(time, logs.CreateLogger("Orchestrator.Shared.Rpc"))
        {
            Gate = (peer, access) => member.Manager?.Refuse(peer, access),
        };
        DispatcherRpc.Map(rpc, () => member.Manager?.Dispatcher);
        CertificatesRpc.Map(rpc, () => member.Manager?.Certificates);
        ControlRpc.Map(rpc, call => call.Peer is { } peer ? member.Manager?.ControlFor(peer.NodeId) : null);
        Orchestrator.Manager.Raft.Transport.RpcPeerNetwork.Map(rpc, () => member.Manager?.Peers);
        TaskLogsRpc.Map(rpc, worker.TaskLogs, call => call.Peer is { } peer ? RefuseReach(member, peer) : null);
        return rpc;
    }

    /// <summary>
    /// Whether a manager, by its certificate, may look at this host's containers. A manager asks the state; a worker, which has none, the list of managers that
    /// it was told, from which one that was demoted or removed has gone.
    /// </summary>
    private static string? RefuseReach(SwarmMember member, PeerIdentity peer) => member.Manager is { } manager ? manager.Refuse(peer, RpcAccess.Manager)
        : member.Dispatcher.Managers.Any(m => m.NodeId == peer.NodeId) ? null
        : $"node {peer.NodeId} is none of the managers that this node was told of";

    /// <summary>What follows a manager for as long as it runs.</summary>
    private void Follow(SwarmMember member, ManagerHost manager)
    {
        member.Loops.Start("cluster events", async stop =>
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, manager.Stopping);
            try
            {
                await ClusterEvents.RunAsync(manager.Cluster, worker.Events.Publish, either.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // The manager ended and the node goes on.
            }
        }, WhenLoopFails.Restart);
        member.Loops.Start(
            "manager", stop => Task.WhenAny(manager.Failed, Task.Delay(Timeout.InfiniteTimeSpan, time, stop)).Unwrap(), WhenLoopFails.FailHost);
    }

    /// <summary>Passes the first failure of this member's loops on to the daemon.</summary>
    private async Task WatchAsync(SwarmMember member)
    {
        var ended = await Task.WhenAny(member.Loops.Failed, member.Stopped.Task);
        if (ended.Exception is { } failure)
            _failed.TrySetException(failure.InnerExceptions);
    }

    /// <summary>Ends the member in this process; what is on disk stays.</summary>
    private async Task EndAsync(SwarmMember member)
    {
        await member.DisposeAsync();
        if (ReferenceEquals(_member, member))
            _member = null;
    }

    private ApiException AlreadyMember => new(503, "This node is already part of a swarm. Use \"orch swarm leave\" (or \"docker swarm leave\") to leave this swarm and join another one.");

    private static double Jitter() => RandomNumberGenerator.GetInt32(1 << 30) / (double)(1 << 30);
}
