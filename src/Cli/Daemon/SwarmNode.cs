using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager;
using Orchestrator.Manager.Api;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Security;
using Orchestrator.Worker;

namespace Orchestrator.Cli.Daemon;

/// <summary>This node's life in a cluster: begun by init or found on disk, ended by leave. Init and leave take turns.</summary>
/// <param name="worker">Whose containers the cluster runs.</param>
/// <param name="dispatcher">How the agent reaches a manager: over the cluster's socket, also when it is this process.</param>
/// <param name="options">The daemon's.</param>
/// <param name="time">The clock.</param>
/// <param name="logs">For the manager's rooms.</param>
internal sealed class SwarmNode(WorkerHost worker, IDispatcher dispatcher, DaemonOptions options, TimeProvider time, ILoggerFactory logs)
    : ISwarmNode, IAsyncDisposable
{
    private readonly NodeIdentityFile _identityFile = new(options.DataRoot);
    private readonly ILogger _log = logs.CreateLogger("Orchestrator.Cli.Daemon");
    private readonly SemaphoreSlim _turn = new(1);
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Membership? _membership;

    public RunningManager? Manager => _membership is { Ready: true } membership
        ? new RunningManager(membership.Identity.NodeId, membership.Host.Cluster, worker.TaskLogs)
        : null;

    /// <summary>What answers agents; also while init has not finished.</summary>
    internal IDispatcher? Dispatcher => _membership?.Host.Dispatcher;

    /// <summary>Who calls over the daemon's own socket: this node.</summary>
    internal PeerIdentity? Self => _membership is { } membership
        ? new PeerIdentity(membership.Identity.NodeId, NodeRole.Manager, membership.Identity.ClusterId)
        : null;

    /// <summary>Faults when the manager cannot go on.</summary>
    internal Task Failed => _failed.Task;

    /// <summary>Takes the node's part up again after a restart.</summary>
    internal async Task ResumeAsync(CancellationToken stop)
    {
        if (_identityFile.Read() is not { } identity)
        {
            // Init writes the identity last: what lies here without one never became a cluster.
            if (ManagerHost.Exists(options.DataRoot))
                Directory.Delete(ManagerHost.JournalDirectory(options.DataRoot), recursive: true);
            return;
        }

        var membership = await StartManagerAsync(identity, stop);
        Begin(membership);
    }

    public async Task<NodeId> InitAsync(SwarmInitRequest request, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            if (_membership is not null)
                throw new ApiException(503, "This node is already part of a swarm. Use \"orch swarm leave --force\" to leave it first.");
            var plan = SwarmInitPlan.Make(
                request,
                IdText.Cluster(RandomNumberGenerator.GetBytes(17)),
                new NodeId(IdText.Cluster(RandomNumberGenerator.GetBytes(17))),
                worker.Describe(),
                NodeAddresses.Read(),
                [.. options.DefaultAddressPools.Select(AddressPools.Parse).OfType<AddressRange>()],
                time.GetUtcNow());
            var identity = new NodeIdentity { NodeId = plan.FirstNode.Id, ClusterId = plan.Swarm.Id, Address = plan.Address };
            var membership = await StartManagerAsync(identity, stop);
            try
            {
                var outcome = await membership.Host.InitAsync(new InitSwarm(plan.Swarm, plan.FirstNode) { At = time.GetUtcNow() }, stop);
                if (outcome.Refusal is { } refusal)
                    throw ClusterDoor.Refused(refusal);
                _identityFile.Write(identity);
            }
            catch
            {
                await UndoAsync(membership);
                throw;
            }

            Begin(membership);
            await ReadyAsync(membership, stop);
            return identity.NodeId;
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task LeaveAsync(bool force, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            var membership = _membership ?? throw new ApiException(503, "This node is not part of a swarm.");
            if (!force)
            {
                throw new ApiException(
                    503,
                    "This node is the last manager of its swarm: leaving erases the swarm's state and its services. Use the \"--force\" option to leave all the same.");
            }

            // From here on the caller's patience no longer counts: half a leave would be worse than either.
            await StopAsync(membership);
            await worker.RemoveTasksAsync(CancellationToken.None);
            _identityFile.Delete();
            Directory.Delete(ManagerHost.JournalDirectory(options.DataRoot), recursive: true);
            _membership = null;
            _log.Left(membership.Identity.NodeId.Value);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The node's part as <c>/info</c> tells it.</summary>
    internal SwarmInfo Info()
    {
        if (_membership is not { Ready: true } membership)
            return new SwarmInfo();
        var state = membership.Host.Cluster.Current;
        return new SwarmInfo
        {
            NodeId = membership.Identity.NodeId.Value,
            NodeAddr = membership.Identity.Address,
            LocalNodeState = "active",
            ControlAvailable = true,
            RemoteManagers =
            [
                .. state.Nodes.Values.Where(n => n.ManagerStatus is not null)
                    .Select(n => new PeerNode { NodeId = n.Id.Value, Addr = n.ManagerStatus!.Addr }),
            ],
            Nodes = state.Nodes.Count,
            Managers = state.Nodes.Values.Count(n => n.ManagerStatus is not null),
            Cluster = state.Swarm,
        };
    }

    /// <summary>Stops agent and manager; the tasks' containers run on.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_membership is { } membership)
        {
            _membership = null;
            await StopAsync(membership);
        }

        _turn.Dispose();
    }

    private async Task<Membership> StartManagerAsync(NodeIdentity identity, CancellationToken stop)
    {
        var host = new ManagerHost(new ManagerOptions { NodeId = identity.NodeId, DataRoot = options.DataRoot, Logs = logs, Time = time });
        try
        {
            await host.StartAsync(stop);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }

        return _membership = new Membership(identity, host, new LoopSupervisor(time, _log, Jitter));
    }

    /// <summary>Opens the node to the API and starts what follows the cluster.</summary>
    private void Begin(Membership membership)
    {
        membership.Loops.Start("cluster events", stop => ClusterEvents.RunAsync(membership.Host.Cluster, worker.Events.Publish, stop), WhenLoopFails.Restart);
        membership.Loops.Start("agent", stop => worker.RunAgentAsync(dispatcher, membership.Identity.NodeId, stop), WhenLoopFails.FailHost);
        membership.Loops.Start("manager", stop => Task.WhenAny(membership.Host.Failed, Task.Delay(Timeout.InfiniteTimeSpan, time, stop)).Unwrap(), WhenLoopFails.FailHost);
        membership.Ready = true;
        membership.Watching = WatchAsync(membership);
        _log.Manages(membership.Identity.NodeId.Value, membership.Identity.ClusterId);
    }

    /// <summary>Passes the first failure of this membership's loops on to the daemon.</summary>
    private async Task WatchAsync(Membership membership)
    {
        var ended = await Task.WhenAny(membership.Loops.Failed, membership.Stopped.Task);
        if (ended.Exception is { } failure)
            _failed.TrySetException(failure.InnerExceptions);
    }

    /// <summary>Waits a moment for the agent's first session, so that whoever asks after init sees the node ready and not unknown.</summary>
    private async Task ReadyAsync(Membership membership, CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
        try
        {
            var changes = membership.Host.Cluster.WatchAsync(both.Token);
            if (IsReady(membership.Host.Cluster.Current))
                return;
            await foreach (var change in changes)
            {
                if (IsReady(change.State))
                    return;
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            // The cluster is made all the same; "node ls" tells how the node does.
        }

        bool IsReady(ClusterState state) =>
            state.Nodes.TryGetValue(membership.Identity.NodeId, out var node) && node.Status.State == NodeState.Ready;
    }

    private async Task UndoAsync(Membership membership)
    {
        await StopAsync(membership);
        _membership = null;
        Directory.Delete(ManagerHost.JournalDirectory(options.DataRoot), recursive: true);
    }

    private static async Task StopAsync(Membership membership)
    {
        membership.Ready = false;
        await membership.Loops.DisposeAsync();
        membership.Stopped.TrySetResult();
        await membership.Watching;
        await membership.Host.DisposeAsync();
    }

    private static double Jitter() => RandomNumberGenerator.GetInt32(1 << 30) / (double)(1 << 30);

    private sealed class Membership(NodeIdentity identity, ManagerHost host, LoopSupervisor loops)
    {
        private volatile bool _ready;

        internal NodeIdentity Identity { get; } = identity;
        internal ManagerHost Host { get; } = host;
        internal LoopSupervisor Loops { get; } = loops;
        internal TaskCompletionSource Stopped { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        internal Task Watching { get; set; } = Task.CompletedTask;

        /// <summary>True once the cluster exists and until it is left.</summary>
        internal bool Ready
        {
            get => _ready;
            set => _ready = value;
        }
    }
}
