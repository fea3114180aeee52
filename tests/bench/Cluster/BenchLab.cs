using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.Tests.Bench.Services;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>A lab of the release binary, driven by its own commands; its hosts are host1, host2, … and the first of them are managers.</summary>
internal sealed class BenchLab : IAsyncDisposable
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"orch-bench-lab-{Environment.ProcessId}"));
    private readonly Dictionary<string, EngineDriver> _drivers = [];
    private readonly int _hosts;

    private BenchLab(int hosts, int managers)
    {
        _hosts = hosts;
        Managers = [.. Enumerable.Range(1, managers).Select(n => $"host{n}")];
    }

    internal IReadOnlyList<string> Managers { get; }

    internal static async Task<BenchLab> UpAsync(int hosts, int managers)
    {
        var lab = new BenchLab(hosts, managers);
        try
        {
            await lab.RunAsync("up", $"{hosts}", "--managers", $"{managers}");
            foreach (var host in Enumerable.Range(1, hosts).Select(n => $"host{n}"))
            {
                var said = await lab.RunAsync("env", host);
                lab._drivers[host] = new(said.Split("unix://", 2)[1].Split(['"', '\'', ' ', '\n'], 2)[0]);
            }

            await lab.ReadyAsync();
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    internal EngineDriver Driver(string host) => _drivers[host];

    /// <summary>Runs <c>orch lab VERB</c>; answers what it printed.</summary>
    internal async Task<string> RunAsync(string verb, params string[] arguments)
    {
        var start = new ProcessStartInfo(OrchBinary.Path, ["lab", verb, "--root", _root, "--name", "bench", .. arguments]) { RedirectStandardOutput = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? said : throw new InvalidOperationException($"orch lab {verb}: exit code {process.ExitCode}");
    }

    internal async Task<string> LeaderAsync()
    {
        while (true)
        {
            if ((await NodesAsync()).FirstOrDefault(n => n!["ManagerStatus"]?["Leader"]?.GetValue<bool>() is true) is { } leads)
                return Name(leads);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    internal async Task<string> NodeAsync(string host) => (await NodesAsync()).Single(n => Name(n!) == host)!["ID"]!.GetValue<string>();

    /// <summary>Waits until every host is ready and every manager reachable.</summary>
    internal async Task ReadyAsync()
    {
        while (true)
        {
            var nodes = await NodesAsync();
            if (nodes.Count(n => n!["Status"]!["State"]!.GetValue<string>() == "ready") == _hosts
                && nodes.Count(n => n!["ManagerStatus"]?["Reachability"]?.GetValue<string>() == "reachable") == Managers.Count)
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var driver in _drivers.Values)
            driver.Dispose();
        await RunAsync("down");
        if (Directory.Exists(_root) && !Directory.EnumerateFileSystemEntries(_root).Any())
            Directory.Delete(_root);
    }

    private async Task<JsonArray> NodesAsync()
    {
        while (true)
        {
            try
            {
                return (await Driver("host1").GetAsync("nodes")).AsArray();
            }
            catch (InvalidOperationException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System); // no leader at this moment
            }
        }
    }

    private static string Name(JsonNode node) => node["Description"]!["Hostname"]!.GetValue<string>();
}
