using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Orchestrator.Cli.Commands.Lab;
using Orchestrator.Worker.Lab;

namespace Orchestrator.Tests.Integration.Fixtures;

/// <summary>
/// Several hosts on this machine, by the code of <c>orch lab</c>, joined to one cluster unless told otherwise: host1, host2, … What starts processes runs the
/// built binary; cuts and power cuts happen in this process, so that what follows can be timed from their return.
/// </summary>
internal sealed class LabCluster : IAsyncDisposable
{
    private const string Roots = "orch-labs-";
    private static int s_labs;

    private readonly LabPlace _place;
    private readonly Orchestrator.Cli.Commands.Shell _shell = Orchestrator.Cli.Commands.Shell.OfProcess();

    private LabCluster(LabPlace place) => _place = place;

    /// <summary>Where the lab's folder is; tests may put files there.</summary>
    internal string Root => _place.Root;

    internal string Name => _place.Name;

    /// <summary>The lab's file as it stands.</summary>
    internal LabState State => LabBook.Read(_place) ?? throw new InvalidOperationException("the lab is gone");

    internal IReadOnlyList<string> Hosts => [.. State.Hosts.Select(h => h.Name)];

    internal string Folder => _place.Folder;

    /// <summary>Of all hosts, below every hierarchy.</summary>
    internal string Cgroup => _place.Cgroup;

    private static string Binary => Environment.GetEnvironmentVariable("ORCH_BINARY") ?? Path.Combine(AppContext.BaseDirectory, "orch");

    /// <summary>Raises hosts and waits until they are one cluster (<c>--apart</c> among the flags: until their daemons answer).</summary>
    internal static async Task<LabCluster> UpAsync(int hosts, params string[] flags)
    {
        var lab = await PlanAsync();
        try
        {
            (await lab.LabAsync("up", [$"{hosts}", .. flags])).Succeeded();
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>A lab that is not up yet.</summary>
    internal static async Task<LabCluster> PlanAsync()
    {
        Assert.SkipWhen(OrchHost.Obstacle is not null, OrchHost.Obstacle ?? "");
        await SweepAsync();
        var root = Path.Combine(Path.GetTempPath(), $"{Roots}{Environment.ProcessId}");
        return new(new LabPlace(root, string.Create(CultureInfo.InvariantCulture, $"t{Environment.ProcessId}x{Interlocked.Increment(ref s_labs)}")));
    }

    /// <summary>Runs <c>orch lab VERB</c> on this lab.</summary>
    internal Task<Ran> LabAsync(string verb, params string[] arguments) => Shell.RunAsync(Binary, Words(verb, arguments), environment: Plain);

    /// <summary>The words of <c>orch lab VERB</c> on this lab, the program first.</summary>
    internal string[] Command(string verb, params string[] arguments) => [Binary, .. Words(verb, arguments)];

    /// <summary>Runs the command line against a host's daemon, from the machine.</summary>
    internal Task<Ran> OrchAsync(string host, params string[] arguments) =>
        Shell.RunAsync(Binary, arguments, environment: new Dictionary<string, string>(Plain) { ["ORCH_HOST"] = $"unix://{Socket(host)}" });

    /// <summary>Runs a program in a host; <c>orch</c> and <c>busybox</c> are on its path. The host <c>switch</c> is outside of the cluster.</summary>
    internal Task<Ran> InsideAsync(string host, params string[] command) => LabAsync("exec", [host, "--", .. command]);

    internal string Socket(string host) => _place.Socket(host);

    internal string Address(string host) => State.Host(host).Address;

    internal string DaemonLog(string host) => File.Exists(_place.Log(host)) ? File.ReadAllText(_place.Log(host)) : "";

    /// <summary>The process of the host's daemon, as this machine numbers it.</summary>
    internal int DaemonPid(string host) => State.Host(host).Daemon?.Pid ?? throw new InvalidOperationException($"{host} has no daemon");

    /// <summary>The host reaches nobody, or not the named ones; from the moment this returns.</summary>
    internal Task CutAsync(string host, params string[] from) => ChangeAsync((rig, state) => rig.CutAsync(from.Length == 0
        ? LabCutPlan.Add(state.Cuts, new LabCut(host, null))
        : from.Aggregate(state.Cuts, (all, other) => LabCutPlan.Add(all, new LabCut(host, other)))));

    internal Task HealAsync(string? host = null) => ChangeAsync((rig, state) => rig.CutAsync(LabCutPlan.Heal(state.Cuts, host)));

    /// <summary>Everything in the hosts ends at once; their disks stay.</summary>
    internal Task PowerOffAsync(params string[] hosts) => ChangeAsync((rig, _) =>
        Task.WhenAll(hosts.Select(h => rig.PowerOffAsync(h, TestContext.Current.CancellationToken)).ToList()));

    internal async Task PowerOnAsync(params string[] hosts) => (await LabAsync("start", hosts)).Succeeded();

    /// <summary>Daemons end by SIGKILL, all before the first is started again; containers go on.</summary>
    internal async Task CrashDaemonsAsync(params string[] hosts) => (await LabAsync("restart", ["--kill", .. hosts])).Succeeded();

    /// <summary>Daemons are asked to end and started again, one after the other.</summary>
    internal async Task RestartDaemonsAsync(params string[] hosts) => (await LabAsync("restart", hosts)).Succeeded();

    /// <summary>The daemon ends by SIGKILL and stays away until <see cref="StartDaemonsAsync"/>.</summary>
    internal Task KillDaemonAsync(string host) => ChangeAsync((rig, _) => rig.StopDaemonAsync(host, 9, TestContext.Current.CancellationToken));

    internal async Task StartDaemonsAsync(params string[] hosts) => (await LabAsync("restart", hosts)).Succeeded();

    /// <summary>An Engine API answer of a host as JSON.</summary>
    internal async Task<JsonElement> GetAsync(string host, string path)
    {
        var ran = (await Shell.RunAsync("curl", ["-sS", "--max-time", "20", "--unix-socket", Socket(host), $"http://orch{path}"])).Succeeded();
        using var json = JsonDocument.Parse(ran.Output);
        return json.RootElement.Clone();
    }

    /// <summary>The host whose manager leads as the given one sees it; null: it knows none.</summary>
    internal async Task<string?> LeaderAsync(string asked)
    {
        var nodes = await GetAsync(asked, "/nodes");
        return nodes.ValueKind != JsonValueKind.Array ? null : nodes.EnumerateArray()
            .Where(n => n.TryGetProperty("ManagerStatus", out var m) && m.TryGetProperty("Leader", out var leads) && leads.GetBoolean())
            .Select(n => n.GetProperty("Description").GetProperty("Hostname").GetString()).FirstOrDefault();
    }

    public async ValueTask DisposeAsync()
    {
        var down = await LabAsync("down");
        if (Directory.Exists(_place.Root) && !Directory.EnumerateFileSystemEntries(_place.Root).Any())
            Directory.Delete(_place.Root);
        down.Succeeded();
    }

    private async Task ChangeAsync(Func<LabRig, LabState, Task> act)
    {
        using var book = await LabBook.OpenAsync(_place, TimeProvider.System, TestContext.Current.CancellationToken);
        await act(new LabRig(book, _place, _shell), book.Current ?? throw new InvalidOperationException("the lab is gone"));
    }

    private ImmutableArray<string> Words(string verb, string[] arguments) => ["lab", verb, "--root", _place.Root, "--name", _place.Name, .. arguments];

    private static Dictionary<string, string> Plain => new() { ["NO_COLOR"] = "1" };

    /// <summary>Takes away what test runs left that ended without a chance to.</summary>
    private static async Task SweepAsync()
    {
        foreach (var root in Directory.EnumerateDirectories(Path.GetTempPath(), Roots + "*"))
        {
            if (!int.TryParse(Path.GetFileName(root)[Roots.Length..], CultureInfo.InvariantCulture, out var pid) || Directory.Exists($"/proc/{pid}"))
                continue;
            foreach (var left in Directory.EnumerateDirectories(root).Select(Path.GetFileName))
                (await Shell.RunAsync(Binary, ["lab", "down", "--root", root, "--name", left!])).Succeeded();
        }
    }
}
