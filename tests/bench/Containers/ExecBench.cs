using System.Diagnostics;
using System.Globalization;
using Orchestrator.Tests.Bench.Services;

namespace Orchestrator.Tests.Bench.Containers;

/// <summary>
/// <c>exec true</c> in a running container, orch against Docker: the same two requests by the same driver (create, then start and read to the
/// end), and the whole commands <c>orch exec</c> and <c>docker exec</c>, in turn, in one run. A pause stands before each: what a peer still does once it
/// has answered (a hundred turns of containerd and its shim within the next milliseconds) is not the other one's time.
/// </summary>
internal static class ExecBench
{
    private const string Words = "\"/bin/busybox\",\"true\"";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    internal static async Task<int> RunAsync(string[] arguments)
    {
        var rounds = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 40;
        await using var ours = PeerDaemon.Start("orch", ServiceStart.OrchDaemon);
        await using var theirs = PeerDaemon.Start("docker", ServiceStart.DockerDaemon);
        using var orchApi = new EngineDriver(ours.Socket);
        using var dockerApi = new EngineDriver(theirs.Socket);
        foreach (var api in new[] { orchApi, dockerApi })
        {
            await api.WaitReadyAsync();
            await api.ImportAsync(ServiceStart.Busybox(), "busybox");
            await api.RunContainerAsync("idle", "busybox:latest", ["/bin/busybox", "sleep", "100000"]);
        }

        var (orch, docker) = (new PlainHttp(ours.Socket), new PlainHttp(theirs.Socket));
        List<double> a = [], b = [], c = [], d = [];
        for (var round = -3; round < rounds; round++)
        {
            var first = await TimeAsync(() => orch.Exec("idle", Words));
            var second = await TimeAsync(() => docker.Exec("idle", Words));
            var third = await TimeAsync(() => CommandAsync(OrchBinary.Path, ours.Socket));
            var fourth = await TimeAsync(() => CommandAsync("docker", theirs.Socket));
            if (round < 0)
                continue; // warm-up
            a.Add(first);
            b.Add(second);
            c.Add(third);
            d.Add(fourth);
        }

        Figures.Print("exec true, requests", "orch", a, "docker", b, "ms");
        Figures.Print("exec true, whole command", "orch", c, "docker", d, "ms");
        foreach (var api in new[] { orchApi, dockerApi })
            await api.RemoveContainerAsync("idle");
        return 0;
    }

    private static Task<double> TimeAsync(Action act) => TimeAsync(() =>
    {
        act();
        return Task.CompletedTask;
    });

    private static async Task<double> TimeAsync(Func<Task> act)
    {
        await Task.Delay(Pause, TimeProvider.System);
        var began = Stopwatch.GetTimestamp();
        await act();
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    private static async Task CommandAsync(string program, string socket)
    {
        using var process = Process.Start(program, ["-H", $"unix://{socket}", "exec", "idle", "/bin/busybox", "true"]);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} exec: exit code {process.ExitCode}");
    }
}
