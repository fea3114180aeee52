using System.Globalization;

namespace Orchestrator.Tests.Bench.Services;

/// <summary>Proportional set size of daemon and shim, idle and with idle containers (proc(5), smaps_rollup).</summary>
internal static class IdleMemory
{
    internal static async Task<int> RunAsync(string[] arguments)
    {
        var containers = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 50;
        await using var daemon = PeerDaemon.Start("orch", ServiceStart.OrchDaemon);
        using var api = new EngineDriver(daemon.Socket);
        await ServiceStart.MakeReadyAsync(api);
        await Settle();
        var fresh = Sizes(daemon);
        // What code and types cost when they are first used is not a container's: the second time tells what each one costs.
        await api.StartServiceAsync("web", "busybox:latest", containers, 9000, "bench");
        await api.RemoveServiceAsync("web");
        await Settle();
        var before = Sizes(daemon);
        await api.StartServiceAsync("web", "busybox:latest", containers, 9000, "bench");
        await Settle();
        var after = Sizes(daemon);
        Console.WriteLine($"PSS, idle and fresh: daemon {fresh.Daemon:F1} MiB, shim {fresh.Shim:F1} MiB");
        Console.WriteLine($"idle after {containers} containers came and went: daemon {before.Daemon:F1} MiB, shim {before.Shim:F1} MiB");
        Console.WriteLine($"with {containers} idle containers: daemon {after.Daemon:F1} MiB, shim {after.Shim:F1} MiB");
        Console.WriteLine($"per container: {(after.Daemon + after.Shim - before.Daemon - before.Shim) / containers:F3} MiB");
        await api.RemoveServiceAsync("web");
        return 0;
    }

    private static Task Settle() => Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System);

    private static (double Daemon, double Shim) Sizes(PeerDaemon daemon)
    {
        var shim = Directory.GetDirectories("/proc").Select(Path.GetFileName)
            .First(pid => int.TryParse(pid, CultureInfo.InvariantCulture, out var id) && PeerDaemon.CommandLine(id).Split('\0') is [_, "shim", .. var rest]
                && rest.Any(a => a.Contains(daemon.Root, StringComparison.Ordinal)));
        return (Pss($"{daemon.Pid}"), Pss(shim!));
    }

    private static double Pss(string pid) =>
        double.Parse(File.ReadLines($"/proc/{pid}/smaps_rollup").First(l => l.StartsWith("Pss:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
}
