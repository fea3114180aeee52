using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>
/// What a cluster of five hosts (<c>orch lab</c>, three managers) takes when its leader is cut off, when a worker is, and to spread a service. Times
/// count from before the command that cuts to the end of what is waited for. Docker Swarm's figures are recorded ones, of five hosts on such a machine.
/// </summary>
internal static class LabBench
{
    private const string Service = "spread";

    internal static async Task<int> RunAsync(string[] arguments)
    {
        var rounds = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 10;
        await using var lab = await BenchLab.UpAsync(hosts: 5, managers: 3);
        List<double> leader = [], worker = [], start = [];
        for (var round = 0; round < rounds; round++)
            leader.Add(await CutLeaderAsync(lab, round));
        for (var round = 0; round < rounds; round++)
            worker.Add(await CutWorkerAsync(lab));
        for (var round = 0; round < rounds; round++)
            start.Add(await StartAsync(lab));

        Print("leader cut off: next write through a survivor", leader, 18.4);
        Print("worker cut off: its tasks run elsewhere", worker, 18.5);
        Print("30 replicas over 5 hosts: create to running", start, 3.5);
        return 0;
    }

    private static async Task<double> CutLeaderAsync(BenchLab lab, int round)
    {
        var leader = await lab.LeaderAsync();
        var survivor = lab.Managers.First(m => m != leader);
        var began = Stopwatch.GetTimestamp();
        await lab.RunAsync("cut", leader);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await lab.Driver(survivor).PostAsync("configs/create", new JsonObject { ["Name"] = $"cut-{round}-{attempt}", ["Data"] = "eA==" });
                break;
            }
            catch (InvalidOperationException) when (attempt < 1000)
            {
                // Refused: asked again at once, as a person would.
            }
        }

        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await lab.RunAsync("heal");
        await lab.ReadyAsync();
        return took;
    }

    private static async Task<double> CutWorkerAsync(BenchLab lab)
    {
        const int replicas = 10;
        await CreateAsync(lab, replicas);
        await RunningAsync(lab, replicas, elsewhereThan: null);
        var cut = await lab.NodeAsync("host5");
        var began = Stopwatch.GetTimestamp();
        await lab.RunAsync("cut", "host5");
        await RunningAsync(lab, replicas, elsewhereThan: cut);
        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await lab.RunAsync("heal");
        await lab.ReadyAsync();
        await RemoveAsync(lab);
        return took;
    }

    private static async Task<double> StartAsync(BenchLab lab)
    {
        var began = Stopwatch.GetTimestamp();
        await CreateAsync(lab, 30);
        await RunningAsync(lab, 30, elsewhereThan: null);
        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await RemoveAsync(lab);
        return took;
    }

    private static Task CreateAsync(BenchLab lab, int replicas) => lab.Driver("host1").PostAsync("services/create", new JsonObject
    {
        ["Name"] = Service,
        ["TaskTemplate"] = new JsonObject
        {
            ["ContainerSpec"] = new JsonObject { ["Image"] = "busybox:latest", ["Command"] = new JsonArray("/bin/busybox", "sleep", "100000"), ["StopSignal"] = "SIGKILL" },
        },
        ["Mode"] = new JsonObject { ["Replicated"] = new JsonObject { ["Replicas"] = replicas } },
    });

    private static async Task RunningAsync(BenchLab lab, int replicas, string? elsewhereThan)
    {
        while ((await lab.Driver("host1").GetAsync("tasks")).AsArray().Count(t => t!["DesiredState"]!.GetValue<string>() == "running"
            && t["Status"]!["State"]!.GetValue<string>() == "running" && t["NodeID"]?.GetValue<string>() != elsewhereThan) < replicas)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
    }

    private static async Task RemoveAsync(BenchLab lab)
    {
        await lab.Driver("host1").RemoveServiceAsync(Service);
        while ((await lab.Driver("host1").GetAsync("tasks")).AsArray().Count > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
    }

    private static void Print(string what, List<double> times, double swarm) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{what} (n={times.Count})\n  orch           {Figures.Row(times, "s")}\n  Swarm          {swarm} s (recorded): ratio {Figures.Median(times) / swarm:F3}"));
}
