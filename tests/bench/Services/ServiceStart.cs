using System.Formats.Tar;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.Bench.Services;

/// <summary>
/// <c>POST /services/create</c> → every replica running, with an overlay network and a published port, orch against Docker Swarm with one
/// daemon: the same requests by the same driver, in turn, in one run.
/// </summary>
internal static class ServiceStart
{
    internal static readonly string OrchDaemon = $"{OrchBinary.Path} daemon --data-root ROOT/data --exec-root ROOT/exec -H unix://ROOT/engine.sock";

    internal const string DockerDaemon = "dockerd --data-root ROOT/data --exec-root ROOT/exec -p ROOT/pid -H unix://ROOT/engine.sock";

    internal static async Task<int> RunAsync(string[] arguments)
    {
        var rounds = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 5;
        if (arguments is [_, "alone"])
            return await AloneAsync(rounds);
        await using var ours = PeerDaemon.Start("orch", OrchDaemon);
        await using var theirs = PeerDaemon.Start("docker", DockerDaemon);
        using var orchApi = new EngineDriver(ours.Socket);
        using var dockerApi = new EngineDriver(theirs.Socket);
        foreach (var api in new[] { orchApi, dockerApi })
            await MakeReadyAsync(api);
        foreach (var replicas in new[] { 1, 30 })
        {
            List<double> a = [], b = [];
            for (var round = 0; round <= rounds; round++)
            {
                var first = await OnceAsync(orchApi, replicas);
                var second = await OnceAsync(dockerApi, replicas);
                if (round == 0)
                    continue; // warm-up
                a.Add(first);
                b.Add(second);
            }
            Figures.Print($"service create → {replicas} running", "orch", a, "Docker Swarm", b, "s");
        }
        return 0;
    }

    /// <summary>Ours without the peer, for profiling.</summary>
    private static async Task<int> AloneAsync(int rounds)
    {
        await using var ours = PeerDaemon.Start("orch", OrchDaemon);
        using var api = new EngineDriver(ours.Socket);
        await MakeReadyAsync(api);
        foreach (var replicas in new[] { 1, 30 })
        {
            var times = new List<double>();
            for (var round = 0; round < rounds; round++)
                times.Add(await OnceAsync(api, replicas));
            Console.WriteLine($"service create → {replicas} running: {Figures.Row(times, "s")}");
        }
        return 0;
    }

    internal static async Task MakeReadyAsync(EngineDriver api)
    {
        await api.WaitReadyAsync();
        await api.PostAsync("swarm/init", new JsonObject { ["ListenAddr"] = "0.0.0.0:2377", ["AdvertiseAddr"] = "10.255.255.2" });
        await api.ImportAsync(Busybox(), "busybox");
        await api.PostAsync("networks/create", new JsonObject { ["Name"] = "bench", ["Driver"] = "overlay" });
    }

    private static async Task<double> OnceAsync(EngineDriver api, int replicas)
    {
        var seconds = await api.StartServiceAsync("web", "busybox:latest", replicas, 9000, "bench");
        await api.RemoveServiceAsync("web");
        return seconds;
    }

    internal static byte[] Busybox()
    {
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Pax, leaveOpen: true))
            tar.WriteEntry("/bin/busybox", "bin/busybox");
        return buffer.ToArray();
    }
}
