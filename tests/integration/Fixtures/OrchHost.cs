using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Worker.Recovery;

namespace Orchestrator.Tests.Integration.Fixtures;

/// <summary>
/// A host of its own on this machine: network and mount namespaces, a link to the outside, a daemon with temporary roots. The command line
/// is the built binary; requests to published ports are made inside the host or from the outside end of its link.
/// </summary>
internal sealed class OrchHost : IAsyncDisposable
{
    private readonly Process _holder;
    private readonly string _link;
    private Process? _daemon;
    private readonly List<Process> _earlierDaemons = [];

    private OrchHost(string root, Process holder, string link, string address)
    {
        Root = root;
        _holder = holder;
        _link = link;
        Address = address;
    }

    /// <summary>Why these tests cannot run here, or null.</summary>
    internal static string? Obstacle =>
        Environment.UserName != "root" ? "needs root: namespaces, mounts and cgroups are made"
        : !File.Exists("/bin/busybox") ? "needs the package busybox-static"
        : null;

    internal string Root { get; }

    /// <summary>The host's own address; the machine running the tests is its outside world.</summary>
    internal string Address { get; }

    internal string Socket => Path.Combine(Root, "orch.sock");

    /// <summary>The host's link, at the switch.</summary>
    internal string Link => _link;

    internal int DaemonPid => _daemon?.Id ?? throw new InvalidOperationException("the daemon does not run");

    internal string DaemonLog => File.Exists($"{Root}/daemon.log") ? File.ReadAllText($"{Root}/daemon.log") : "";

    private static string Binary => Environment.GetEnvironmentVariable("ORCH_BINARY") ?? Path.Combine(AppContext.BaseDirectory, "orch");

    /// <summary>Makes the host and starts its daemon.</summary>
    /// <param name="wire">What its link leads to; null: the machine that runs the tests.</param>
    internal static async Task<OrchHost> StartAsync(HostSwitch? wire = null)
    {
        Assert.SkipWhen(Obstacle is not null, Obstacle ?? "");
        var root = Directory.CreateTempSubdirectory("orch-host-").FullName;
        var number = Environment.ProcessId % 200 + 20;
        var third = Interlocked.Increment(ref s_hosts);
        var link = $"oh{Environment.ProcessId}x{third}";
        var subnet = string.Create(CultureInfo.InvariantCulture, $"10.{254 - (third / 63)}.{number}");
        var (address, outside) = ($"{subnet}.{(third % 63 * 4) + 2}", $"{subnet}.{(third % 63 * 4) + 1}");
        if (wire is not null)
            (address, outside) = (wire.NextAddress(), "");
        var holder = Process.Start(new ProcessStartInfo("unshare", ["-n", "-m", "--propagation", "private", "sh", "-c", "exec sleep infinity"]))
            ?? throw new InvalidOperationException("unshare did not start");
        var host = new OrchHost(root, holder, link, address);
        try
        {
            await Shell.EventuallyAsync("namespaces of the host", () => Shell.RunAsync("readlink", [$"/proc/{holder.Id}/ns/net", "/proc/self/ns/net"]),
                r => r.ExitCode == 0 && r.Output.Split('\n') is [var a, var b, ..] && a != b);
            await Outside("ip", "link", "add", link, "type", "veth", "peer", "name", "up0", "netns", $"{holder.Id}");
            if (wire is not null)
            {
                await wire.PlugAsync(link);
                (await host.InsideAsync("sh", "-ec", $"ip link set lo up; ip addr add {address}/24 dev up0; ip link set up0 up; ip route add default dev up0")).Succeeded();
            }
            else
            {
                await Outside("ip", "addr", "add", $"{outside}/30", "dev", link);
                await Outside("ip", "link", "set", link, "up");
                (await host.InsideAsync("sh", "-ec", $"ip link set lo up; ip addr add {address}/30 dev up0; ip link set up0 up; ip route add default via {outside}")).Succeeded();
            }

            await host.StartDaemonAsync();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a daemon over the host's roots and waits until it answers.</summary>
    /// <param name="flags">More words for the daemon, as a shell reads them.</param>
    internal async Task StartDaemonAsync(string flags = "")
    {
        _daemon = Process.Start(new ProcessStartInfo("nsenter",
            ["-t", $"{_holder.Id}", "-n", "-m", "sh", "-c",
             $"exec {Binary} daemon --data-root {Root}/data --exec-root {Root}/exec -H unix://{Socket} {flags} >>{Root}/daemon.log 2>&1"]))
            ?? throw new InvalidOperationException("nsenter did not start");
        await Shell.EventuallyAsync("an answering daemon", () => OrchAsync("version"), r =>
            r.ExitCode == 0 || (_daemon.HasExited ? throw new InvalidOperationException($"the daemon ended: {DaemonLog}") : false));
    }

    /// <summary>Ends the daemon as a crash would: SIGKILL, no farewell.</summary>
    internal async Task KillDaemonAsync() => await EndDaemonAsync("-KILL");

    /// <summary>Stops the daemon as an operator would: SIGTERM.</summary>
    internal async Task StopDaemonAsync() => await EndDaemonAsync("-TERM");

    private async Task EndDaemonAsync(string signal)
    {
        if (_daemon is null)
            return;
        await Shell.RunAsync("kill", [signal, $"{_daemon.Id}"]);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        await _daemon.WaitForExitAsync(limit.Token);
        _earlierDaemons.Add(_daemon);
        _daemon = null;
    }

    /// <summary>Runs the orch command line against this host.</summary>
    internal Task<Ran> OrchAsync(params string[] arguments) =>
        Shell.RunAsync(Binary, arguments, environment: new Dictionary<string, string> { ["ORCH_HOST"] = $"unix://{Socket}", ["NO_COLOR"] = "1" });

    /// <summary>The orch command line against this host, for a shell.</summary>
    internal string CommandLine => $"NO_COLOR=1 {Binary} -H unix://{Socket}";

    /// <summary>The words that begin a command of the stock client or of ours against this host.</summary>
    internal string[] Client(string name) => name == "docker" ? ["docker", "-H", $"unix://{Socket}"] : [Binary, "-H", $"unix://{Socket}"];

    /// <summary>Runs the stock client or ours with something on its stdin.</summary>
    internal Task<Ran> ClientAsync(string name, string? input, params string[] arguments) =>
        Shell.RunAsync(Client(name)[0], [.. Client(name)[1..], .. arguments], input);

    /// <summary>Runs orch where the host's links, rules and mounts are.</summary>
    internal Task<Ran> OrchInsideAsync(params string[] arguments) => InsideAsync([Binary, .. arguments]);

    /// <summary>Runs the stock docker client against this host.</summary>
    internal Task<Ran> DockerAsync(params string[] arguments) => Shell.RunAsync("docker", ["-H", $"unix://{Socket}", .. arguments]);

    /// <summary>Runs a program inside the host's namespaces.</summary>
    internal Task<Ran> InsideAsync(params string[] command) => Shell.RunAsync("nsenter", ["-t", $"{_holder.Id}", "-n", "-m", .. command]);

    /// <summary>Fetches a page from inside the host.</summary>
    internal Task<Ran> FetchInsideAsync(string url) => InsideAsync("curl", "-sS", "--max-time", "5", url);

    /// <summary>An Engine API answer as JSON.</summary>
    internal async Task<JsonElement> GetAsync(string path)
    {
        var ran = (await Shell.RunAsync("curl", ["-sS", "--unix-socket", Socket, $"http://orch{path}"])).Succeeded();
        using var json = JsonDocument.Parse(ran.Output);
        return json.RootElement.Clone();
    }

    /// <summary>Pids of the running containers, by task name.</summary>
    internal async Task<SortedDictionary<string, int>> TaskPidsAsync(string service)
    {
        var filter = Uri.EscapeDataString($$"""{"service":["{{service}}"],"desired-state":["running"]}""");
        var pids = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var task in (await GetAsync($"/tasks?filters={filter}")).EnumerateArray())
        {
            var status = task.GetProperty("Status");
            if (status.GetProperty("State").GetString() == "running")
                pids[task.GetProperty("ID").GetString()!] = status.GetProperty("ContainerStatus").GetProperty("PID").GetInt32();
        }
        return pids;
    }

    private static async Task Outside(params string[] command) => (await Shell.RunAsync(command[0], command[1..])).Succeeded();

    private static int s_hosts;

    public async ValueTask DisposeAsync()
    {
        try
        {
            await EndDaemonAsync("-TERM");
        }
        finally
        {
            // Needs no daemon; the host's mounts go with its namespace.
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
            await HostTeardown.RunAsync($"{Root}/data", $"{Root}/exec", NullLoggerFactory.Instance, limit.Token, $"/proc/{_holder.Id}/ns/net");
            _holder.Kill();
            await _holder.WaitForExitAsync();
            _holder.Dispose();
            _daemon?.Dispose();
            foreach (var daemon in _earlierDaemons)
                daemon.Dispose();
            await Shell.RunAsync("ip", ["link", "del", _link]); // on a switch it went with the host
            Directory.Delete(Root, recursive: true);
        }
    }
}
