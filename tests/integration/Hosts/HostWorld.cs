using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Worker;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Recovery;

namespace Orchestrator.Tests.Integration.Hosts;

/// <summary>A worker host with temporary roots and a shim process of its own, in a network namespace; disposing leaves nothing of it.</summary>
internal sealed class HostWorld : IAsyncDisposable, IProgress<ProgressMessage>
{
    internal const string Image = "busybox:latest";
    /// <summary>More where a processor is emulated.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("ORCH_TEST_PATIENCE"), out var seconds) ? seconds : 30);

    private readonly string name = "hw" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3));
    private readonly StringBuilder said = new();
    private WorkerHost? host;

    private HostWorld()
    {
    }

    internal WorkerHost Host => host ?? throw new InvalidOperationException("the host was stopped");

    internal ContainerHost Containers => Host.Containers;

    internal string Root => $"/tmp/orch-{name}";

    /// <summary>What images' loads and builds said, and what was logged.</summary>
    internal string Said
    {
        get
        {
            lock (said)
                return said.ToString();
        }
    }

    internal static CancellationToken Soon => new CancellationTokenSource(Patience).Token;

    private string Netns => $"/run/netns/{name}";

    internal string DataRoot => $"{Root}/data";

    internal string ExecRoot => $"{Root}/run";

    /// <summary>What the daemon is told beside its roots.</summary>
    internal Func<WorkerHostOptions, WorkerHostOptions> Configure { get; set; } = options => options;

    /// <summary>A host that runs and has busybox.</summary>
    /// <param name="remap">The ids of its containers; null: the host's.</param>
    internal static Task<HostWorld> StartAsync(UserRemap? remap = null) => StartAsync(options => options with { Remap = remap });

    /// <param name="configure">What the daemon is told beside its roots.</param>
    internal static async Task<HostWorld> StartAsync(Func<WorkerHostOptions, WorkerHostOptions> configure)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: namespaces, mounts and cgroups are made");
        var image = TestImages.Busybox(Image);
        var world = new HostWorld { Configure = configure };
        try
        {
            (await Shell.RunAsync("ip", ["netns", "add", world.name])).Succeeded();
            await world.InsideAsync("ip", "link", "set", "lo", "up");
            await world.StartDaemonAsync();
            await world.Host.Images.LoadAsync(new MemoryStream(image), world, Soon);
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>A daemon over what is in the roots.</summary>
    /// <param name="wrap">Puts something between containers and what they stand on.</param>
    internal async Task StartDaemonAsync(Func<ContainerServices, ContainerServices>? wrap = null) => host = await WorkerHost.StartAsync(
        Configure(new WorkerHostOptions
        {
            EngineVersion = "test",
            Wrap = wrap ?? (services => services),
            DataRoot = DataRoot,
            ExecRoot = ExecRoot,
            HostNetnsPath = Netns,
            ShimCommand = ["/usr/bin/nsenter", $"--net={Netns}", Path.Combine(AppContext.BaseDirectory, "orch")],
        }),
        new LoggerFactory([new Journal(said)]), Soon);

    /// <summary>Lets the daemon go and leaves everything else as it is.</summary>
    internal async Task StopDaemonAsync()
    {
        if (host is not { } running)
            return;
        host = null;
        await running.DisposeAsync().AsTask().WaitAsync(Patience);
        running.Images.Dispose();
    }

    /// <summary>Forgets the daemon as it stands, in the middle of whatever it does: for the world it is killed.</summary>
    /// <param name="frozen">What it does at the containers waits for ever; the rest of it is stopped.</param>
    internal async Task AbandonDaemonAsync(Task frozen)
    {
        await frozen.WaitAsync(Patience);
        var running = Host;
        host = null;
        await running.AbandonAsync().AsTask().WaitAsync(Patience);
        running.Images.Dispose();
    }

    internal static ContainerCreateRequest Script(string script, HostConfig? config = null) =>
        new() { Image = Image, Cmd = ["sh", "-c", script], HostConfig = config };

    /// <summary>Creates and starts; the id.</summary>
    internal async Task<string> RunAsync(ContainerCreateRequest request)
    {
        var created = await Containers.CreateAsync(request, null, Soon);
        await Containers.StartAsync(created.Id, Soon);
        return created.Id;
    }

    internal async Task<ContainerStateReply> EndAsync(string id)
    {
        await Containers.WaitAsync(id, WaitCondition.NotRunning, Soon);
        return Containers.Inspect(id).State;
    }

    internal Task<ContainerInspect> UntilAsync(string id, string what, Func<ContainerInspect, bool> holds) =>
        Shell.EventuallyAsync(what, () => Task.FromResult(Containers.Inspect(id)), holds, Patience);

    /// <summary>What it wrote to one stream: between the two there is no order.</summary>
    internal async Task<string> OutputAsync(string id, string stream = "stdout")
    {
        var text = new StringBuilder();
        await foreach (var record in Containers.ReadLogsAsync(id, new LogQuery { Stdout = stream == "stdout", Stderr = stream == "stderr" }, Soon))
            text.Append(Encoding.UTF8.GetString(record.Line.Span));
        return text.ToString();
    }

    internal Task UntilOutputAsync(string id, string text) =>
        Shell.EventuallyAsync($"'{text}' in the log", () => OutputAsync(id), o => o.Contains(text, StringComparison.Ordinal), Patience);

    /// <summary>Runs a program of the machine where the host's links and rules are.</summary>
    internal async Task<string> InsideAsync(params string[] command) =>
        (await Shell.RunAsync("nsenter", [$"--net={Netns}", .. command], limit: Patience)).Succeeded().Output;

    internal Task<string> FetchAsync(int port) => Shell.EventuallyAsync(
        $"an answer on port {port}",
        async () => (await Shell.RunAsync("nsenter", [$"--net={Netns}", "curl", "-sS", "--max-time", "5", $"http://127.0.0.1:{port}/"], limit: Patience)).Output,
        page => page.Length > 0, Patience);

    internal async Task<int> ShimPidAsync() => (await PidsAsync($"shim --exec-root {ExecRoot}")) switch
    {
        [var pid] => pid,
        var others => throw new InvalidOperationException($"{others.Length} shims run"),
    };

    /// <summary>Ends a process of ours as a crash would.</summary>
    internal static async Task KillAsync(int pid)
    {
        (await Shell.RunAsync("kill", ["-KILL", pid.ToString(CultureInfo.InvariantCulture)])).Succeeded();
        await Shell.EventuallyAsync($"the end of process {pid}", () => Task.FromResult(Lives(pid)), lives => !lives, Patience);
    }

    /// <summary>A process that is more than a status nobody has collected.</summary>
    internal static bool Lives(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    internal async Task<IReadOnlyList<string>> TeardownAsync() =>
        await HostTeardown.RunAsync(DataRoot, ExecRoot, NullLoggerFactory.Instance, Soon, Netns).WaitAsync(Patience);

    /// <summary>Everything on the machine that is this host's, files excepted.</summary>
    internal async Task<ImmutableArray<string>> TracesAsync()
    {
        var links = (await InsideAsync("ip", "-o", "link")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => !l.Contains(": lo:", StringComparison.Ordinal));
        var rules = (await InsideAsync("nft", "list", "ruleset")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var mounts = (await File.ReadAllLinesAsync("/proc/self/mountinfo")).Where(l => l.Contains(Root, StringComparison.Ordinal));
        var processes = (await PidsAsync(Root)).Select(p => $"process {p}");
        return [.. links, .. rules, .. mounts, .. processes, .. Groups()];
    }

    /// <summary>Cgroups of this host in every hierarchy.</summary>
    internal ImmutableArray<string> Groups()
    {
        var group = $"orch-{InstanceId.Of(DataRoot)}";
        return [.. Directory.EnumerateDirectories("/sys/fs/cgroup").Prepend("/sys/fs/cgroup").Select(h => $"{h}/{group}").Where(Directory.Exists)];
    }

    public void Report(ProgressMessage value)
    {
        lock (said)
            said.Append(value.Stream);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopDaemonAsync();
        }
        finally
        {
            await TakeAwayAsync();
        }
    }

    private async Task TakeAwayAsync()
    {
        try
        {
            await TeardownAsync();
        }
        finally
        {
            await Shell.RunAsync("ip", ["netns", "del", name]);
            if (Directory.Exists(Root))
                Directory.Delete(Root, recursive: true);
        }
    }

    private static async Task<int[]> PidsAsync(string words)
    {
        var ran = await Shell.RunAsync("pgrep", ["-f", "--", words]);
        int[] found = [.. ran.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
        return [.. found.Where(Lives)];
    }

    private sealed class Journal(StringBuilder lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            lock (lines)
                lines.AppendLine(CultureInfo.InvariantCulture, $"{logLevel}: {formatter(state, exception)} {exception}");
        }

        public void Dispose()
        {
        }
    }
}
