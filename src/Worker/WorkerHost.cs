using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Agent;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Events;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Images.Build;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Network;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Users;
using Orchestrator.Worker.Shim;
using Orchestrator.Worker.Volumes;

namespace Orchestrator.Worker;

/// <summary>The engine and agent of one host, put together.</summary>
internal sealed partial class WorkerHost : IAsyncDisposable
{
    private readonly WorkerHostOptions options;
    private readonly ILoggerFactory logs;
    private readonly HostNetworks networks;
    private readonly LoopSupervisor loops;
    private readonly IAsyncDisposable? shimLink;
    private readonly string agentRoot;
    private readonly EndpointEpoch epoch;
    private bool watched; // the exit loop's

    private WorkerHost(
        WorkerHostOptions options, ILoggerFactory logs, HostNetworks networks, ImageStore images, EngineEvents events, IRuntime runtime, IAsyncDisposable? shimLink)
    {
        this.options = options;
        this.logs = logs;
        this.networks = networks;
        this.shimLink = shimLink;
        Images = images;
        Events = events;
        agentRoot = Path.Combine(options.DataRoot, "agent");
        epoch = new EndpointEpoch(agentRoot);
        Volumes = new VolumeStore(new VolumeStoreOptions
        {
            Root = Path.Combine(options.DataRoot, "volumes"), Time = options.Time, Log = logs.CreateLogger<VolumeStore>(),
            OnEvent = e => events.Publish("volume", e.Action, e.Name, e.Attributes),
        });
        var services = options.Wrap(new ContainerServices
        {
            Volumes = Volumes,
            Runtime = runtime,
            Networks = networks,
            Images = images,
            Events = events,
            Facts = HostReader.Read(HostReader.CgroupRoot(options.CgroupParent, InstanceId.Of(options.DataRoot))) with
            {
                Remap = options.Remap, DefaultLog = options.DefaultLog, DefaultUlimits = options.DefaultUlimits,
            },
            UserNamespace = remap => UserNamespaces.Ensure(Path.Combine(options.ExecRoot, "userns"), remap.Uids, remap.Gids),
            Root = Path.Combine(options.DataRoot, "containers"),
            MemoryRoot = Path.Combine(options.ExecRoot, "files"),
            Time = options.Time,
            Log = logs.CreateLogger<ContainerHost>(),
        });
        Containers = new ContainerHost(services);
        BuildRunner = new BuildStepRunner(services, Path.Combine(options.ExecRoot, "build"));
        TaskLogs = new HostTaskLogs(Containers, events);
        loops = new LoopSupervisor(options.Time, logs.CreateLogger<LoopSupervisor>(), Jitter)
        {
            Backoff = new Backoff { First = TimeSpan.FromMilliseconds(20), Most = TimeSpan.FromSeconds(2) },
        };
    }

    public EngineEvents Events { get; }
    public ContainerHost Containers { get; }
    public ImageStore Images { get; }
    public VolumeStore Volumes { get; }
    public INetworks Networks => networks;
    public IBuildRunner BuildRunner { get; }

    /// <summary>Logs of tasks whose containers are on this host.</summary>
    public ITaskLogs TaskLogs { get; }

    /// <summary>Never completes while all is well; faults when a loop that owns state failed.</summary>
    public Task Failed => loops.Failed;

    /// <summary>As <see cref="StartAsync(WorkerHostOptions, ILoggerFactory, CancellationToken)"/>, over a runtime and shim that are there.</summary>
    /// <param name="options">Roots and names.</param>
    /// <param name="runtime">Runs the containers.</param>
    /// <param name="shim">Keeps names and ports while the daemon is away.</param>
    /// <param name="shimLink">Disposed with the host: the connection that both stand on.</param>
    /// <param name="logs">Makes loggers.</param>
    /// <param name="stop">Cancels the start.</param>
    internal static async Task<WorkerHost> StartAsync(
        WorkerHostOptions options, IRuntime runtime, IShimCaller shim, IAsyncDisposable? shimLink, ILoggerFactory logs, CancellationToken stop)
    {
        InstanceRecord.Write(options.DataRoot, HostReader.CgroupRoot(options.CgroupParent, InstanceId.Of(options.DataRoot)));
        var events = new EngineEvents(options.Time);
        var images = new ImageStore(new ImageStoreOptions { DataRoot = options.DataRoot, Time = options.Time, OnEvent = e => Publish(events, e) });
        await images.StartAsync(stop);
        var opened = await HostNetworks.OpenAsync(
            new NetworkOptions
            {
                InstanceId = InstanceId.Of(options.DataRoot), DataRoot = options.DataRoot, ExecRoot = options.ExecRoot, HostNetnsPath = options.HostNetnsPath,
                MakeOwned = UserNamespaces.MakeNetwork,
            },
            shim, options.Time, logs.CreateLogger<HostNetworks>());
        var host = new WorkerHost(options, logs, opened, images, events, runtime, shimLink);
        try
        {
            await host.RecoverAsync(stop);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }

        return host;
    }

    /// <summary>What this host says of itself to a manager.</summary>
    public NodeDescription Describe() => NodeFacts.Describe(options.EngineVersion, options.Labels);

    /// <summary>Runs the node's agent until cancelled; containers run on afterwards.</summary>
    public Task RunAgentAsync(IDispatcher dispatcher, NodeId node, CancellationToken stop)
    {
        var log = logs.CreateLogger<NodeAgent>();
        var agent = new NodeAgent(
            dispatcher, Executor(log),
            new AgentOptions
            {
                Node = node,
                Description = Describe(),
                RecordsRoot = Path.Combine(agentRoot, "tasks"),
                Jitter = Jitter,
            },
            options.Time, log);
        return agent.RunAsync(stop);
    }

    /// <summary>Leaves the cluster: removes every task's container and the cluster's networks and ports from this host.</summary>
    public async Task RemoveTasksAsync(CancellationToken stop)
    {
        var executor = Executor(logs.CreateLogger<NodeAgent>());
        var inForce = (await networks.ApplyServicesAsync(new ServiceTable { Version = 0 }, stop)).Version;
        await networks.ApplyServicesAsync(new ServiceTable { Version = inForce + 1 }, stop);
        await executor.RemoveStraysAsync(new HashSet<TaskId>(), stop);
        await executor.EnsureNetworksAsync([], stop);
        await executor.PruneNetworksAsync(stop);
        var records = Path.Combine(agentRoot, "tasks");
        if (Directory.Exists(records))
            Directory.Delete(records, recursive: true);
        epoch.MoveTo(inForce + 1);
    }

    /// <summary>Stops the loops; containers and the shim run on.</summary>
    public async ValueTask DisposeAsync()
    {
        await loops.DisposeAsync();
        await Containers.DisposeAsync();
        await networks.DisposeAsync();
        if (shimLink is not null)
            await shimLink.DisposeAsync();
    }

    /// <summary>Stops everything but what containers' owners are in the middle of: what a kill leaves, for tests that go on in this process.</summary>
    internal async ValueTask AbandonAsync()
    {
        await loops.DisposeAsync();
        await networks.DisposeAsync();
        if (shimLink is not null)
            await shimLink.DisposeAsync();
    }

    private ContainerTaskExecutor Executor(ILogger log) => new(Containers, networks, Environment.MachineName, epoch, log);

    private async Task RecoverAsync(CancellationToken stop)
    {
        var scratch = Path.Combine(options.ExecRoot, "build");
        var running = await Containers.RecoverAsync(stop);
        await Images.ReleaseAllButAsync(Containers.Snapshots().Select(c => c.Id).ToHashSet(StringComparer.Ordinal), stop);
        if (Directory.Exists(scratch))
            Directory.Delete(scratch, recursive: true);
        var report = await networks.RecoverAsync(running, stop);
        foreach (var failure in report.Failed)
            logs.CreateLogger<WorkerHost>().NotRecovered(failure);
        await EnsureBridgeAsync(stop);
        loops.Start("container exits", WatchAsync, WhenLoopFails.Restart);
        loops.Start("out of memory", Containers.WatchOutOfMemoryAsync, WhenLoopFails.Restart);
        loops.Start("idle memory", token => IdleMemory.RunAsync(IdleMemory.DaemonBurst, options.Time, token), WhenLoopFails.Restart);
        await Containers.ResumeAsync();
    }

    /// <summary>Watches exits. Every run but the first follows the loss of a shim: the one that answers now knows no names and ports.</summary>
    private async Task WatchAsync(CancellationToken stop)
    {
        if (watched)
            await networks.ResyncAsync(stop);
        watched = true;
        await Containers.WatchExitsAsync(stop);
    }

    /// <summary>The network of containers that name none.</summary>
    private async Task EnsureBridgeAsync(CancellationToken stop)
    {
        if ((await networks.ListNetworksAsync(stop)).Any(n => n.Name == EndpointPlan.DefaultNetwork))
            return;
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{InstanceId.Of(options.DataRoot)}/{EndpointPlan.DefaultNetwork}")));
        await networks.EnsureNetworkAsync(new HostNetwork { Id = id, Name = EndpointPlan.DefaultNetwork }, stop);
    }

    private static void Publish(EngineEvents events, ImageEvent happened) =>
        events.Publish("image", happened.Action, happened.Id, new Dictionary<string, string>(StringComparer.Ordinal) { ["name"] = happened.Name });

    private static double Jitter() => RandomNumberGenerator.GetInt32(1 << 20) / (double)(1 << 20);
}
