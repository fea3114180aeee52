using Microsoft.Extensions.Logging;
using Orchestrator.Manager;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon;

/// <summary>What runs here while this node is a member of a cluster. <see cref="SwarmNode"/> makes, changes and ends it, one at a time.</summary>
internal sealed class SwarmMember : IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private volatile NodeIdentity _identity;
    private volatile ManagerHost? _manager;
    private volatile bool _locked;
    private volatile bool _ready;

    /// <param name="identity">As stored.</param>
    /// <param name="credentials">What it proves itself by.</param>
    /// <param name="local">The way to this process's own manager.</param>
    /// <param name="file">Where the credentials are kept.</param>
    /// <param name="heard">Sees every message of the agent's session.</param>
    /// <param name="loops">Take the member's loops.</param>
    /// <param name="time">The clock.</param>
    /// <param name="jitter">In [0, 1).</param>
    /// <param name="log">The daemon's.</param>
    internal SwarmMember(
        NodeIdentity identity, NodeCredentials credentials, NodeCredentialsFile file, IDispatcher local, Action<Assignments> heard, LoopSupervisor loops,
        TimeProvider time, Func<double> jitter, ILogger log)
    {
        _identity = identity;
        _time = time;
        _log = log;
        Loops = loops;
        Credentials = new(credentials);
        Renewal = new(Credentials, file, new ManagerCertificates(this), time, jitter, log);
        Dispatcher = new(new()
        {
            Managers = identity.Managers,
            Dial = peer => IsSelf(peer) ? new(local, Channel: null) : Dial(peer),
            Complete = request => request with { Address = Identity.ClusterAddr },
            Heard = heard,
            Jitter = jitter,
            Time = time,
        });
        Control = new(() => Others, address => DialControl(address), time);
    }

    internal LoopSupervisor Loops { get; }

    internal CredentialBox Credentials { get; }

    /// <summary>Keeps them in force.</summary>
    internal CertificateRenewal Renewal { get; }

    /// <summary>The agent's way to whichever manager leads.</summary>
    internal ClusterDispatcher Dispatcher { get; }

    /// <summary>A node's own questions to whichever manager leads.</summary>
    internal ControlCaller Control { get; }

    internal NodeIdentity Identity { get => _identity; set => _identity = value; }

    /// <summary>The manager that runs here.</summary>
    internal ManagerHost? Manager { get => _manager; set => _manager = value; }

    /// <summary>A manager lives here, and its journal needs the unlock key.</summary>
    internal bool Locked { get => _locked; set => _locked = value; }

    /// <summary>True once the cluster exists and until it is left.</summary>
    internal bool Ready { get => _ready; set => _ready = value; }

    /// <summary>The role that the cluster says this node has; null: it has not said so yet.</summary>
    internal NodeRole? Role { get; set; }

    /// <summary>Wakes the loop that acts on roles and managers.</summary>
    internal Mailbox<bool> News { get; } = new(1, WhenFull.DropNewest);

    /// <summary>Completes with the agent's first session.</summary>
    internal TaskCompletionSource FirstHeard { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal ClusterListener? Listener { get; set; }

    internal TaskCompletionSource Stopped { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task Watching { get; set; } = Task.CompletedTask;

    /// <summary>Managers on other hosts, as last told.</summary>
    internal IReadOnlyList<ManagerPeer> Others => [.. Dispatcher.Managers.Where(m => !IsSelf(m))];

    /// <summary>Connects to a manager, which has to be the node named if one is.</summary>
    internal RpcConnect Connect(ManagerPeer peer) => MutualTls.Client(
        ClusterEndpoints.Parse(peer.Address) is { } endpoint ? RpcConnects.Tcp(endpoint) : _ => throw new IOException($"{peer.Address} is no address"),
        Credentials, _time, new(NodeRole.Manager, peer.NodeId.Value is { Length: > 0 } ? peer.NodeId : null));

    /// <summary>Puts a question to one manager after the other until one answers.</summary>
    internal async Task<T> AskAnyAsync<T>(Func<RpcChannel, Task<T>> ask, CancellationToken stop)
    {
        var last = new RpcException(RpcStatus.Unavailable, "no manager is known to this node");
        foreach (var peer in Others)
        {
            stop.ThrowIfCancellationRequested();
            using var channel = Open(peer);
            try
            {
                return await ask(channel);
            }
            catch (RpcException failure) when (failure.Status is not (RpcStatus.PermissionDenied or RpcStatus.InvalidArgument))
            {
                last = failure;
            }
        }

        throw last;
    }

    /// <summary>Stops everything; the tasks' containers run on.</summary>
    public async ValueTask DisposeAsync()
    {
        Ready = false;
        await Loops.DisposeAsync();
        Stopped.TrySetResult();
        await Watching;
        if (Listener is { } listener)
            await SlowEnd.WatchAsync(listener.DisposeAsync().AsTask(), () => "the cluster port", _time, _log);
        if (Manager is { } manager)
            await SlowEnd.WatchAsync(manager.DisposeAsync().AsTask(), () => "the manager", _time, _log);
        Dispatcher.Dispose();
        Renewal.Dispose();
    }

    private bool IsSelf(ManagerPeer peer) => peer.NodeId == Identity.NodeId || peer.Address == Identity.ClusterAddr;

    private RpcChannel Open(ManagerPeer peer) => new(new() { Connect = Connect(peer), ConnectTimeout = TimeSpan.FromSeconds(2), Time = _time });

    private DispatcherLink? Dial(ManagerPeer peer)
    {
        if (ClusterEndpoints.Parse(peer.Address) is null)
            return null;
        var channel = new RpcChannel(new() { Connect = Connect(peer), ConnectTimeout = TimeSpan.FromSeconds(2), KeepAlive = TimeSpan.FromSeconds(3), Time = _time });
        return new(DispatcherRpc.Client(channel), channel);
    }

    private IControl DialControl(string address) => new OneCall(
        () => Open(Dispatcher.Managers.FirstOrDefault(m => m.Address == address) ?? new() { Address = address }));

    /// <summary>A node asks rarely: a connection for each question.</summary>
    private sealed class OneCall(Func<RpcChannel> open) : IControl
    {
        public Task<ProposeReply> ProposeAsync(ProposeRequest request, CancellationToken stop) => AskAsync(c => c.ProposeAsync(request, stop));

        public Task<AdmitReply> AdmitAsync(AdmitRequest request, CancellationToken stop) => AskAsync(c => c.AdmitAsync(request, stop));

        public Task<LeaveReply> LeaveAsync(LeaveRequest request, CancellationToken stop) => AskAsync(c => c.LeaveAsync(request, stop));

        private async Task<T> AskAsync<T>(Func<IControl, Task<T>> ask)
        {
            using var channel = open();
            return await ask(ControlRpc.Client(channel));
        }
    }
}
