using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Api;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Tests.Unit.Shared.Http;

namespace Orchestrator.Tests.Unit.Manager.Api;

/// <summary>A node, its cluster and its host's networks, all by hand; proposals are kept and answered as told.</summary>
internal sealed class FakeNode : ISwarmNode, ICluster, IManagers, ITaskLogs, IHostNetworks
{
    internal List<Command> Proposed { get; } = [];
    internal List<Network> HostNetworks { get; } = [];
    internal Dictionary<TaskId, LogRecord[]> Logs { get; } = [];
    internal Outcome Answer { get; set; } = new(7);
    internal bool IsManager { get; set; } = true;

    public ClusterState Current { get; set; } = ClusterState.Empty;

    public RunningManager? Manager => IsManager ? new(new NodeId("self"), this, this) { Managers = this } : null;

    public string Obstacle => ClusterDoor.NoManager;

    public ManagersView View { get; set; } = new(new NodeId("self"), new NodeId("self"), []);

    internal List<SwarmJoinRequest> Joins { get; } = [];

    public Task JoinAsync(SwarmJoinRequest request, CancellationToken stop)
    {
        Joins.Add(request);
        return Task.CompletedTask;
    }

    public Task UnlockAsync(string key, CancellationToken stop) => key == "SWMKEY-1-right" ? Task.CompletedTask : throw new ApiException(400, "not the key");

    public Task AddAsync(MemberKey member, CancellationToken stop) => throw new ManagersException("not here");

    public Task RemoveAsync(MemberKey member, CancellationToken stop) => throw new ManagersException("not here");

    public Task HandOverAsync(CancellationToken stop) => throw new ManagersException("not here");

    internal ApiRouter Router()
    {
        var router = ApiCall.Router();
        ClusterApi.Map(router, this, this, TimeProvider.System, NullLoggerFactory.Instance);
        return router;
    }

    internal Task<ApiCall> SendAsync(string method, string path, string? body = null) => ApiCall.SendAsync(Router(), method, path, body);

    public Task<Outcome> ProposeAsync(Command command, CancellationToken stop)
    {
        Proposed.Add(command);
        return Task.FromResult(Answer);
    }

    public Task<ClusterState> FreshAsync(CancellationToken stop) => Task.FromResult(Current);

    public async IAsyncEnumerable<StateChange> WatchAsync([EnumeratorCancellation] CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        yield break;
    }

    public async IAsyncEnumerable<LogRecord> ReadAsync(ServiceTask task, LogQuery query, [EnumeratorCancellation] CancellationToken stop)
    {
        await Task.Yield();
        foreach (var record in Logs.TryGetValue(task.Id, out var records) ? records : throw new InvalidOperationException("gone"))
            yield return record;
    }

    public Task<NodeId> InitAsync(SwarmInitRequest request, CancellationToken stop) => Task.FromResult(new NodeId("made"));

    public Task LeaveAsync(bool force, CancellationToken stop) => force ? Task.CompletedTask : throw new ApiException(503, "force it");

    public Task<IReadOnlyList<Network>> ListAsync(CancellationToken stop) => Task.FromResult<IReadOnlyList<Network>>(HostNetworks);

    public Task<IReadOnlyDictionary<string, NetworkContainer>> ContainersAsync(NetworkId id, CancellationToken stop) =>
        Task.FromResult<IReadOnlyDictionary<string, NetworkContainer>>(new Dictionary<string, NetworkContainer>());

    public Task<NetworkId> CreateAsync(NetworkCreateRequest request, CancellationToken stop)
    {
        var network = new Network { Id = new NetworkId(new string('a', 64)), Name = request.Name, Scope = "local", Driver = "bridge" };
        HostNetworks.Add(network);
        return Task.FromResult(network.Id);
    }

    public Task RemoveAsync(NetworkId id, CancellationToken stop)
    {
        HostNetworks.RemoveAll(n => n.Id == id);
        return Task.CompletedTask;
    }
}

internal static class Cluster
{
    internal static Service Service(string id, string name, ulong replicas = 1, params string[] labels) => new()
    {
        Id = new ServiceId(id),
        Spec = new ServiceSpec
        {
            Name = name,
            Labels = labels.ToDictionary(l => l.Split('=')[0], l => l.Split('=')[1]),
            Mode = new ServiceMode { Replicated = new ReplicatedMode { Replicas = replicas } },
            TaskTemplate = new TaskSpec { ContainerSpec = new ContainerSpec { Image = "hello" } },
        },
        Version = new ObjectVersion(5),
    };

    internal static ServiceTask Task(string id, Service service, int slot, TaskState state = TaskState.Running, TaskState desired = TaskState.Running) => new()
    {
        Id = new TaskId(id),
        ServiceId = service.Id,
        ServiceName = service.Spec.Name,
        Slot = slot,
        NodeId = new NodeId("self"),
        Spec = service.Spec.TaskTemplate,
        DesiredState = desired,
        Status = new ServiceTaskStatus { State = state, ContainerStatus = new TaskContainerStatus { ContainerId = "c" + id } },
    };

    internal static ClusterState State(IEnumerable<Service>? services = null, IEnumerable<ServiceTask>? tasks = null, IEnumerable<Network>? networks = null) => ClusterState.Empty with
    {
        Services = ClusterState.Empty.Services.AddRange((services ?? []).Select(s => KeyValuePair.Create(s.Id, s))),
        Tasks = ClusterState.Empty.Tasks.AddRange((tasks ?? []).Select(t => KeyValuePair.Create(t.Id, t))),
        Networks = ClusterState.Empty.Networks.AddRange((networks ?? []).Select(n => KeyValuePair.Create(n.Id, n))),
        Swarm = new Swarm { Id = "swarm" },
    };
}
