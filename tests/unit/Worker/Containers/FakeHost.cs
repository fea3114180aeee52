using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Events;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Network;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Volumes;

namespace Orchestrator.Tests.Unit.Worker.Containers;

/// <summary>A host whose kernel is a list: containers over fakes in a directory of their own.</summary>
internal sealed class FakeHost : IAsyncDisposable
{
    private readonly CancellationTokenSource ends = new();
    private Task watching = Task.CompletedTask;

    internal FakeHost(string? root = null, FakeRuntime? runtime = null)
    {
        Root = root ?? Directory.CreateTempSubdirectory("orch-unit-").FullName;
        Runtime = runtime ?? new FakeRuntime();
        Events = new EngineEvents(TimeProvider.System);
        Containers = new ContainerHost(new ContainerServices
        {
            Runtime = Runtime,
            Networks = Networks,
            Images = Images,
            Volumes = new VolumeStore(new VolumeStoreOptions { Root = Path.Combine(Root, "volumes"), Time = TimeProvider.System, Log = NullLogger<VolumeStore>.Instance }),
            Events = Events,
            Facts = Facts,
            Root = Path.Combine(Root, "containers"),
            MemoryRoot = Path.Combine(Root, "files"),
            Time = TimeProvider.System,
            Log = NullLogger<ContainerHost>.Instance,
        });
    }

    internal static HostFacts Facts { get; } = new() { Cpus = 2, Hostname = "box", CgroupParent = "/orch-test", DefaultSeccomp = _ => null };

    internal string Root { get; }
    internal FakeRuntime Runtime { get; }
    internal FakeNetworks Networks { get; } = new();
    internal FakeImages Images { get; } = new();
    internal EngineEvents Events { get; }
    internal ContainerHost Containers { get; }

    internal async Task<FakeHost> StartAsync()
    {
        await Containers.RecoverAsync(CancellationToken.None);
        await Containers.ResumeAsync();
        watching = Containers.WatchExitsAsync(ends.Token);
        return this;
    }

    /// <summary>Waits by condition; the deadline is only there so that a broken test ends.</summary>
    internal static async Task UntilAsync(Func<bool> condition, string what)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
        {
            Assert.False(deadline.IsCancellationRequested, $"waited in vain until {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
        }
    }

    /// <summary>The daemon goes away; the runtime and the disk stay.</summary>
    internal async Task StopDaemonAsync()
    {
        await ends.CancelAsync();
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Containers.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopDaemonAsync();
        Directory.Delete(Root, recursive: true);
        ends.Dispose();
    }
}

internal sealed partial class FakeRuntime : IRuntime
{
    private readonly Lock guard = new();
    private readonly Dictionary<string, ContainerRecord> containers = [];
    private readonly List<Channel<ContainerExit>> watchers = [];
    private int nextPid = 100;

    internal ConcurrentDictionary<string, LaunchRequest> Requests { get; } = new();
    internal ConcurrentQueue<(string Id, int Signal)> Signals { get; } = new();

    /// <summary>Signals that do not end a container.</summary>
    internal HashSet<int> Ignored { get; } = [];

    internal Action OnSignal { get; set; } = () => { };

    internal RuntimeException? Refusal { get; set; }

    public Task<StartedContainer> StartAsync(LaunchRequest request, CancellationToken stop)
    {
        if (Refusal is not null)
            throw Refusal;
        lock (guard)
        {
            Assert.False(containers.ContainsKey(request.Id), $"{request.Id} was not deleted before it was started again");
            Requests[request.Id] = request;
            var started = new StartedContainer(request.Id, ++nextPid, TimeProvider.System.GetUtcNow());
            containers[request.Id] = new ContainerRecord(request.Id, started.Pid, started.StartedAt, null);
            return Task.FromResult(started);
        }
    }

    public Task SignalAsync(string id, int signal, CancellationToken stop)
    {
        Signals.Enqueue((id, signal));
        OnSignal();
        lock (guard)
        {
            if (!containers.ContainsKey(id))
                throw new RuntimeException($"There is no container {id}.");
        }

        if (!Ignored.Contains(signal))
            Exit(id, 128 + signal);
        return Task.CompletedTask;
    }

    public Task DeleteAsync(string id, CancellationToken stop)
    {
        lock (guard)
            containers.Remove(id);
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<ContainerRecord>> ListAsync(CancellationToken stop)
    {
        lock (guard)
            return Task.FromResult<IReadOnlyList<ContainerRecord>>([.. containers.Values]);
    }

    public async IAsyncEnumerable<ContainerExit> WatchExitsAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var mine = Channel.CreateUnbounded<ContainerExit>();
        lock (guard)
        {
            foreach (var exit in containers.Values.Select(c => c.Exit).OfType<ContainerExit>())
                mine.Writer.TryWrite(exit);
            watchers.Add(mine);
        }

        await foreach (var exit in mine.Reader.ReadAllAsync(stop))
            yield return exit;
    }

    /// <summary>What an exec in a container gives; refuses it by throwing.</summary>
    internal Func<string, ExecLaunch, IExecSession> OnExec { get; set; } = (_, launch) => new FakeExec(launch);

    internal Func<string, IAttachSession> OnAttach { get; set; } = _ => new FakeAttach();

    internal ConcurrentQueue<(string Id, ConsoleSize Size)> Sizes { get; } = new();

    public Task<IExecSession> ExecAsync(string id, ExecLaunch launch, CancellationToken stop)
    {
        Need(id);
        return Task.FromResult(OnExec(id, launch));
    }

    public Task<IAttachSession> AttachAsync(string id, CancellationToken stop)
    {
        lock (guard)
        {
            if (containers.TryGetValue(id, out var record) && record.Exit is not null)
                throw new RuntimeException($"The container {id} does not run.");
        }

        return Task.FromResult(OnAttach(id));
    }

    public Task ResizeAsync(string id, int rows, int columns, CancellationToken stop)
    {
        Need(id);
        Sizes.Enqueue((id, new ConsoleSize(rows, columns)));
        return Task.CompletedTask;
    }

    private void Need(string id)
    {
        lock (guard)
        {
            if (!containers.TryGetValue(id, out var record) || record.Exit is not null)
                throw new RuntimeException($"The container {id} does not run.");
        }
    }

    /// <summary>The program ends by itself.</summary>
    internal void Exit(string id, int code, bool oom = false)
    {
        lock (guard)
        {
            if (containers[id].Exit is not null)
                return;
            var exit = new ContainerExit { Id = id, Pid = containers[id].Pid, ExitCode = code, OomKilled = oom, ExitedAt = TimeProvider.System.GetUtcNow() };
            containers[id] = containers[id] with { Exit = exit };
            foreach (var watcher in watchers)
                watcher.Writer.TryWrite(exit);
        }
    }

    internal void Lose(string id)
    {
        lock (guard)
            containers.Remove(id);
    }
}

internal sealed class FakeImages : IImageLayers
{
    internal ConcurrentDictionary<string, string> Holders { get; } = new();

    internal ImageConfig Config { get; set; } = new() { Cmd = ["/bin/app"], Env = ["A=1"] };

    public ValueTask<ImageRecord?> ResolveAsync(string reference, CancellationToken stop) => ValueTask.FromResult(
        reference.StartsWith("missing", StringComparison.Ordinal)
            ? null
            : new ImageRecord { Id = "sha256:" + new string('a', 64), ManifestDigest = "sha256:" + new string('b', 64), Config = Config });

    public ValueTask<LayerStack> AcquireLayersAsync(string imageId, string holderId, CancellationToken stop)
    {
        Holders[holderId] = imageId;
        return ValueTask.FromResult(new LayerStack(imageId, ["/layers/top", "/layers/bottom"]));
    }

    public ValueTask ReleaseAsync(string holderId, CancellationToken stop)
    {
        Holders.TryRemove(holderId, out _);
        return ValueTask.CompletedTask;
    }
}

internal sealed class FakeNetworks : INetworks
{
    private int nextAddress = 1;

    internal ConcurrentDictionary<string, SandboxRequest> Attached { get; } = new();
    internal ConcurrentDictionary<string, HostNetwork> Networks { get; } = new() { ["b"] = new HostNetwork { Id = "b", Name = "bridge" } };
    internal ConcurrentQueue<ServiceTable> Tables { get; } = new();

    public Task<HostNetwork> EnsureNetworkAsync(HostNetwork network, CancellationToken stop)
    {
        Networks[network.Id] = network;
        return Task.FromResult(network);
    }

    public Task RemoveNetworkAsync(string id, CancellationToken stop)
    {
        if (Attached.Values.Any(s => s.Endpoints.Any(e => e.NetworkId == id)))
            throw new NetworkException($"network {id} has active endpoints");
        Networks.TryRemove(id, out _);
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<HostNetwork>> ListNetworksAsync(CancellationToken stop) =>
        Task.FromResult<IReadOnlyList<HostNetwork>>([.. Networks.Values]);

    public Task<Sandbox> AttachAsync(SandboxRequest request, CancellationToken stop)
    {
        if (!Attached.TryAdd(request.Id, request))
            throw new NetworkException($"sandbox {request.Id} exists already");
        return Task.FromResult(new Sandbox
        {
            NetnsPath = "/run/netns/" + request.Id[..8],
            ResolvConf = "nameserver 127.0.0.11\n",
            Endpoints =
            [
                .. request.Endpoints.Select((e, i) => new EndpointInfo
                {
                    NetworkId = e.NetworkId,
                    InterfaceName = $"eth{i}",
                    Address = e.Address ?? new IPAddress(new byte[] { 10, 0, 0, (byte)Interlocked.Increment(ref nextAddress) }),
                    PrefixLength = 24,
                    Gateway = IPAddress.Parse("10.0.0.1"),
                    Mac = PhysicalAddress.Parse("02-42-0A-00-00-02"),
                }),
            ],
            Ports = [.. request.HostPorts.Select(p => new BoundPort(p.Protocol, p.HostIp, p.HostPort == 0 ? 32768 : p.HostPort, p.ContainerPort))],
        });
    }

    /// <summary>A sandbox is left when this has completed.</summary>
    internal Task Leaving { get; set; } = Task.CompletedTask;

    public async Task DetachAsync(string sandboxId, CancellationToken stop)
    {
        await Leaving;
        Attached.TryRemove(sandboxId, out _);
    }

    public Task<IReadOnlyDictionary<string, Sandbox>> ListSandboxesAsync(CancellationToken stop) =>
        Task.FromResult<IReadOnlyDictionary<string, Sandbox>>(ImmutableDictionary<string, Sandbox>.Empty);

    public Task<ServiceTableResult> ApplyServicesAsync(ServiceTable table, CancellationToken stop)
    {
        Tables.Enqueue(table);
        return Task.FromResult(new ServiceTableResult(table.Version, []));
    }

    public Task<IReadOnlyList<PortInUse>> FindPortsInUseAsync(ImmutableArray<PortRequest> ports, CancellationToken stop) =>
        Task.FromResult<IReadOnlyList<PortInUse>>([]);

    public Task ResyncAsync(CancellationToken stop) => Task.CompletedTask;

    public Task<CleanUpReport> RecoverAsync(IReadOnlySet<string> liveSandboxIds, CancellationToken stop) => Task.FromResult(new CleanUpReport());

    public Task<CleanUpReport> RemoveAllAsync(CancellationToken stop) => Task.FromResult(new CleanUpReport());
}
