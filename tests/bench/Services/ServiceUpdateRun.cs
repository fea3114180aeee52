using System.Globalization;

namespace Orchestrator.Tests.Bench.Services;

/// <summary>
/// A rolling update of thirty replicas, ten at a time, old ones first, while requests go through the published port: orch against Docker Swarm
/// with one daemon, in turn, in one run.
/// </summary>
internal static class ServiceUpdateRun
{
    private const int Replicas = 30;
    private const int Parallelism = 10;
    private const int Port = 9000;

    internal static async Task<int> RunAsync(string[] arguments)
    {
        var rounds = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 5;
        await using var ours = PeerDaemon.Start("orch", ServiceStart.OrchDaemon);
        using var orchApi = new EngineDriver(ours.Socket);
        await PrepareAsync(orchApi);
        List<double> a = [], b = [];
        if (arguments is [_, "alone"])
        {
            for (var round = 0; round <= rounds; round++)
                await OnceAsync(orchApi, ours, "orch", round == 0 ? [] : a);
            await orchApi.RemoveServiceAsync("web");
            Console.WriteLine($"update of {Replicas}, {Parallelism} at a time: {Figures.Row(a, "s")}");
            return 0;
        }
        await using var theirs = PeerDaemon.Start("docker", "dockerd --data-root ROOT/data --exec-root ROOT/exec -p ROOT/pid -H unix://ROOT/engine.sock");
        using var dockerApi = new EngineDriver(theirs.Socket);
        await PrepareAsync(dockerApi);
        for (var round = 0; round <= rounds; round++)
        {
            await OnceAsync(orchApi, ours, "orch", round == 0 ? [] : a);
            await OnceAsync(dockerApi, theirs, "Docker Swarm", round == 0 ? [] : b);
        }
        await orchApi.RemoveServiceAsync("web");
        await dockerApi.RemoveServiceAsync("web");
        Figures.Print($"update of {Replicas} replicas, {Parallelism} at a time", "orch", a, "Docker Swarm", b, "s");
        return 0;
    }

    private static async Task PrepareAsync(EngineDriver api)
    {
        await ServiceStart.MakeReadyAsync(api);
        await api.StartServiceAsync("web", "busybox:latest", Replicas, Port, "bench");
    }

    private static async Task OnceAsync(EngineDriver api, PeerDaemon daemon, string name, List<double> times)
    {
        await using var load = RequestLoad.Start(daemon.Pid, $"http://127.0.0.1:{Port}/");
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        times.Add(await api.UpdateServiceAsync("web", Replicas, Parallelism));
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        var (answered, failed) = await load.EndAsync();
        var why = answered == 0 && !File.Exists("/proc/net/ip_vs") ? " (its published ports need the kernel's IPVS, which is not there; its time is that of the update all the same)" : "";
        Console.WriteLine($"  {name}: {answered} requests answered, {failed} failed{why}");
        await api.AwaitUpdateAsync("web");
    }
}
