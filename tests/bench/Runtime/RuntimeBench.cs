using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Runtime.Seccomp;
using Orchestrator.Worker.Runtime.Shim;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Bench.Runtime;

/// <summary>Container create, start, exit, delete with everything on: in the shim's own code, over its socket, and by runc, alternating.</summary>
internal static class RuntimeBench
{
    private const int Rounds = 60;
    private const int WarmUp = 10;
    private const int AtOnce = 8;
    private const int Many = 400;

    internal static async Task<int> RunAsync()
    {
        var root = $"/tmp/orch-bench-{Environment.ProcessId}";
        var instance = $"orch-bench-{Environment.ProcessId}";
        MakeImage(root);
        var exits = new ExitWaiter();
        using var stop = new CancellationTokenSource();
        try
        {
            using var local = new LocalRuntime($"{root}/containers", TimeProvider.System, NullLogger.Instance);
            await using var process = new ShimProcess(
                new ShimCommand
                {
                    Arguments = [OrchBinary.Path, "shim", "--exec-root", $"{root}/run"],
                    ExecRoot = $"{root}/run",
                    CgroupPath = $"/{instance}/shim",
                },
                NullLogger.Instance);
            var remote = new ShimRuntime(process);
            await process.EnsureAsync(stop.Token);
            var watching = Task.WhenAll(exits.WatchAsync(local, stop.Token), exits.WatchAsync(remote, stop.Token));

            var (inside, socket, runc) = (new List<double>(), new List<double>(), new List<double>());
            MakeBundle(root, instance);
            for (var round = 0; round < Rounds + WarmUp; round++)
            {
                var times = (
                    await TimeAsync(() => OneAsync(local, exits, root, instance, $"l{round}")),
                    await TimeAsync(() => OneAsync(remote, exits, root, instance, $"s{round}")),
                    await TimeAsync(() => RuncAsync(root, $"{instance}-r{round}")));
                if (round < WarmUp)
                    continue;
                inside.Add(times.Item1);
                socket.Add(times.Item2);
                runc.Add(times.Item3);
            }
            var (i, s, r) = (Median(inside), Median(socket), Median(runc));
            Console.WriteLine($"create, start, exit, delete (medians of {Rounds}): in the shim's code {i:F2} ms, over its socket {s:F2} ms, runc {r:F2} ms");
            Console.WriteLine($"ratio to runc: {i / r:F2} in process, {s / r:F2} over the socket (target 0.30)");

            foreach (var (name, runtime) in new (string, IRuntime)[] { ("in process", local), ("over the socket", remote) })
            {
                var watch = Stopwatch.StartNew();
                await Parallel.ForEachAsync(
                    Enumerable.Range(0, Many),
                    new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
                    async (n, _) => await OneAsync(runtime, exits, root, instance, $"{name[0]}p{n}"));
                Console.WriteLine($"{AtOnce} at once, {name}: {Many / watch.Elapsed.TotalSeconds:F0} a second (target 300)");
            }
            await ThirtyAsync(remote, root, instance);
            var pid = (await process.EnsureAsync(stop.Token), JsonNode.Parse((await process.CallAsync("shim", "hello", ReadOnlyMemory<byte>.Empty, stop.Token)).Span)!["Pid"]!.GetValue<int>()).Item2;
            Console.WriteLine($"shim: {File.ReadLines($"/proc/{pid}/smaps_rollup").First(l => l.StartsWith("Pss:", StringComparison.Ordinal))}");
            await stop.CancelAsync();
            await watching;
            await process.ShutdownAsync(CancellationToken.None);
            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>Thirty containers that stay: from the first request until the last one's program runs.</summary>
    private static async Task ThirtyAsync(IRuntime runtime, string root, string instance)
    {
        var requests = Enumerable.Range(0, 30).Select(n => Request(root, instance, $"thirty{n}", ["/bin/busybox", "sleep", "100"])).ToList();
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(requests.Select(r => runtime.StartAsync(r, CancellationToken.None)));
        Console.WriteLine($"30 started concurrently over the socket: {watch.Elapsed.TotalMilliseconds:F0} ms");
        await Task.WhenAll(requests.Select(r => runtime.DeleteAsync(r.Id, CancellationToken.None)));
    }

    private static async Task OneAsync(IRuntime runtime, ExitWaiter exits, string root, string instance, string id)
    {
        var ended = exits.For(id);
        await runtime.StartAsync(Request(root, instance, id, ["/bin/busybox", "true"]), CancellationToken.None);
        var exit = await ended;
        if (exit.ExitCode != 0)
            throw new InvalidOperationException($"{id} ended with {exit.ExitCode}");
        await runtime.DeleteAsync(id, CancellationToken.None);
        Directory.Delete($"{root}/c/{id}", recursive: true);
    }

    /// <summary>runc has no overlay to mount: its root is the layer itself, which is less work than ours.</summary>
    private static async Task RuncAsync(string root, string id)
    {
        using var runc = Process.Start(new ProcessStartInfo("runc", ["run", "--bundle", $"{root}/bundle", id]) { RedirectStandardInput = true, UseShellExecute = false })!;
        await runc.WaitForExitAsync();
        if (runc.ExitCode != 0)
            throw new InvalidOperationException($"runc ended with {runc.ExitCode}");
    }

    internal static LaunchRequest Request(string root, string instance, string id, ImmutableArray<string> arguments)
    {
        foreach (var directory in (string[])["upper", "work", "merged"])
            Directory.CreateDirectory($"{root}/c/{id}/{directory}");
        return new LaunchRequest
        {
            Id = id,
            Root = new OverlayRoot { LowerLayers = [$"{root}/bundle/rootfs"], Upper = $"{root}/c/{id}/upper", Work = $"{root}/c/{id}/work", Merged = $"{root}/c/{id}/merged" },
            Log = new LogTarget { Path = $"{root}/c/{id}/log" },
            Spec = Spec(arguments) with { Linux = Spec(arguments).Linux with { CgroupsPath = $"/{instance}/{id}" } },
        };
    }

    private static OciSpec Spec(ImmutableArray<string> arguments) => new()
    {
        OciVersion = "1.0.2",
        Hostname = "bench",
        Root = new OciRoot { Path = "rootfs" },
        Process = new OciProcess
        {
            Args = arguments,
            Env = ["PATH=/bin"],
            NoNewPrivileges = true,
            Capabilities = new OciCapabilities { Bounding = Capabilities.Default, Effective = Capabilities.Default, Permitted = Capabilities.Default },
        },
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
            Namespaces = [.. ((string[])["pid", "network", "ipc", "uts", "mount", "cgroup"]).Select(t => new OciNamespace { Type = t })],
            Resources = new OciResources
            {
                Devices = [new OciDeviceRule { Allow = false, Access = "rwm" }],
                Memory = new OciMemory { Limit = 64 << 20, Swap = 64 << 20 },
                Cpu = new OciCpu { Quota = 50_000, Period = 100_000, Shares = 512 },
                Pids = new OciPids { Limit = 100 },
            },
            MaskedPaths = ["/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"],
            ReadonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    };

    private static void MakeBundle(string root, string instance)
    {
        var spec = Spec(["/bin/busybox", "true"]);
        spec = spec with
        {
            Linux = spec.Linux with
            {
                CgroupsPath = $"/{instance}-runc",
                Seccomp = SeccompProfile.Default.For(Capabilities.Default.ToHashSet(), Environment.OSVersion.Version),
            },
        };
        File.WriteAllText($"{root}/bundle/config.json", JsonSerializer.Serialize(spec, OciJson.Default.OciSpec));
    }

    internal static void MakeImage(string root)
    {
        foreach (var directory in (string[])["bin", "proc", "sys", "dev", "etc"])
            Directory.CreateDirectory($"{root}/bundle/rootfs/{directory}");
        File.Copy("/bin/busybox", $"{root}/bundle/rootfs/bin/busybox");
    }

    private static async Task<double> TimeAsync(Func<Task> act)
    {
        var started = Stopwatch.GetTimestamp();
        await act();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static double Median(List<double> times)
    {
        times.Sort();
        return times[times.Count / 2];
    }
}
