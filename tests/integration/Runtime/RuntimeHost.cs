using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Runtime.Shim;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Integration.Runtime;

/// <summary>A runtime of its own with a busybox image, under names nobody else uses; disposing leaves nothing.</summary>
internal sealed class RuntimeHost : IAsyncDisposable
{
    internal const string Busybox = "/bin/busybox";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static int counter;

    private readonly string instance = $"orch-test-{Environment.ProcessId}-{Interlocked.Increment(ref counter)}";
    private readonly List<string> started = [];
    private readonly HashSet<string> pinned = [];
    private readonly LocalRuntime? local;

    internal RuntimeHost()
        : this(root => new LocalRuntime(Path.Combine(root, "containers"), TimeProvider.System, NullLogger.Instance))
    {
    }

    internal RuntimeHost(Func<string, IRuntime> make)
    {
        Root = Path.Combine("/tmp", instance);
        Directory.CreateDirectory(Path.Combine(Root, "image/bin"));
        foreach (var directory in (string[])["proc", "sys", "dev", "etc", "tmp"])
            Directory.CreateDirectory(Path.Combine(Root, "image", directory));
        File.Copy(Busybox, Path.Combine(Root, "image/bin/busybox"));
        foreach (var name in (string[])["sh", "echo", "cat", "true", "false", "sleep", "id", "hostname", "ls", "mount", "unshare", "pwd", "touch", "kill", "dd", "head", "grep", "mkdir", "stat", "ps", "env", "tail", "yes", "rm", "readlink", "stty", "tty", "wc"])
            File.CreateSymbolicLink(Path.Combine(Root, "image/bin", name), "busybox");
        File.WriteAllText(Path.Combine(Root, "image/etc/text"), "not a program\n");
        var runtime = make(Root);
        local = runtime as LocalRuntime;
        Runtime = runtime;
    }

    internal static void NeedRoot()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Containers need root.");
        Assert.SkipUnless(File.Exists(Busybox), "The package busybox-static is not installed.");
    }

    internal string Root { get; }

    internal string Instance => instance;

    internal IRuntime Runtime { get; }

    internal static OciCapabilities DockerCapabilities { get; } = new()
    {
        Bounding = Capabilities.Default,
        Effective = Capabilities.Default,
        Permitted = Capabilities.Default,
    };

    /// <summary>A container as Docker makes it by default.</summary>
    internal LaunchRequest Request(string id, params ImmutableArray<string> arguments)
    {
        foreach (var directory in (string[])["upper", "work", "merged"])
            Directory.CreateDirectory(Path.Combine(Root, id, directory));
        return new LaunchRequest
        {
            Id = id,
            Root = new OverlayRoot
            {
                LowerLayers = [Path.Combine(Root, "image")],
                Upper = Path.Combine(Root, id, "upper"),
                Work = Path.Combine(Root, id, "work"),
                Merged = Path.Combine(Root, id, "merged"),
            },
            Log = new LogTarget { Path = LogPath(id) },
            Spec = new OciSpec
            {
                Hostname = "box",
                Process = new OciProcess { Args = arguments, Env = ["PATH=/bin"], Capabilities = DockerCapabilities },
                Mounts =
                [
                    new OciMount { Destination = "/proc", Type = "proc", Source = "proc", Options = ["nosuid", "noexec", "nodev"] },
                    new OciMount { Destination = "/dev", Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "strictatime", "mode=755", "size=65536k"] },
                    new OciMount { Destination = "/dev/pts", Type = "devpts", Source = "devpts", Options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
                    new OciMount { Destination = "/sys", Type = "sysfs", Source = "sysfs", Options = ["nosuid", "noexec", "nodev", "ro"] },
                    new OciMount { Destination = "/sys/fs/cgroup", Type = "cgroup", Source = "cgroup", Options = ["ro", "nosuid", "noexec", "nodev"] },
                    new OciMount { Destination = "/dev/mqueue", Type = "mqueue", Source = "mqueue", Options = ["nosuid", "noexec", "nodev"] },
                    new OciMount { Destination = "/dev/shm", Type = "tmpfs", Source = "shm", Options = ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"] },
                ],
                Linux = new OciLinux
                {
                    CgroupsPath = $"/{instance}/{id}",
                    Namespaces = [.. ((string[])["pid", "network", "ipc", "uts", "mount", "cgroup"]).Select(t => new OciNamespace { Type = t })],
                    Resources = new OciResources
                    {
                        Devices = [new OciDeviceRule { Allow = false, Access = "rwm" }],
                        Memory = new OciMemory { Limit = 64 << 20, Swap = 64 << 20 },
                        Pids = new OciPids { Limit = 100 },
                    },
                    MaskedPaths =
                    [
                        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
                    ],
                    ReadonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
                },
            },
        };
    }

    internal LaunchRequest Shell(string id, string script) => Request(id, "sh", "-c", script);

    internal async Task<StartedContainer> StartAsync(LaunchRequest request)
    {
        started.Add(request.Id);
        return await Runtime.StartAsync(request, CancellationToken.None);
    }

    /// <summary>Runs to the end: the exit and the lines of output, each stream's name before its lines.</summary>
    internal async Task<(ContainerExit Exit, string[] Output)> RunAsync(LaunchRequest request)
    {
        await StartAsync(request);
        var exit = await ExitAsync(request.Id);
        return (exit, Output(request.Id));
    }

    internal async Task<ContainerExit> ExitAsync(string id)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        await foreach (var exit in Runtime.WatchExitsAsync(deadline.Token))
        {
            if (exit.Id == id)
                return exit;
        }
        throw new InvalidOperationException("The exits ended.");
    }

    internal string LogPath(string id) => Path.Combine(Root, $"{id}.log");

    internal string[] Output(string id) => [.. File.ReadAllLines(LogPath(id)).Select(line =>
    {
        using var json = JsonDocument.Parse(line);
        var text = json.RootElement.GetProperty("log").GetString()!.TrimEnd('\n');
        return json.RootElement.GetProperty("stream").GetString() == "stderr" ? $"stderr: {text}" : text;
    })];

    internal async Task WaitForOutputAsync(string id, string line)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (!Output(id).Contains(line))
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, deadline.Token);
    }

    /// <summary>Cgroup directories of this instance in every hierarchy.</summary>
    internal string[] CgroupDirectories() => [.. Directory.EnumerateDirectories("/sys/fs/cgroup")
        .Prepend("/sys/fs/cgroup").Select(h => $"{h}/{instance}").Where(Directory.Exists)];

    /// <summary>A namespace with a name below the root, to be let go with the host.</summary>
    internal void Unmount(string path) => pinned.Add(path);

    public async ValueTask DisposeAsync()
    {
        foreach (var id in started)
            await Runtime.DeleteAsync(id, CancellationToken.None);
        local?.Dispose();
        // A shim that was killed has not done it, and the tests of a runtime in this process are about its doing it.
        foreach (var group in local is null ? CgroupDirectories() : [])
            Orchestrator.Worker.Runtime.Cgroups.CgroupParents.RemoveEmpty(group);
        foreach (var path in pinned)
            Orchestrator.Worker.Linux.Namespaces.Unpin(path);
        Directory.Delete(Root, recursive: true);
    }
}
