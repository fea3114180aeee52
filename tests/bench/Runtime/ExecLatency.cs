using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Shim;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Bench.Runtime;

/// <summary>The runtime's part of an exec: from the request until the program's output has ended and its exit is known, over the shim's socket.</summary>
internal static class ExecLatency
{
    private const int WarmUp = 50;

    internal static async Task<int> RunAsync(string[] arguments)
    {
        var rounds = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 200;
        var root = $"/tmp/orch-execs-{Environment.ProcessId}";
        var instance = $"orch-execs-{Environment.ProcessId}";
        RuntimeBench.MakeImage(root);
        try
        {
            await using var process = new ShimProcess(
                new ShimCommand { Arguments = [OrchBinary.Path, "shim", "--exec-root", $"{root}/run"], ExecRoot = $"{root}/run", CgroupPath = $"/{instance}/shim" },
                NullLogger.Instance);
            var runtime = new ShimRuntime(process);
            var request = RuntimeBench.Request(root, instance, "idle", ["/bin/busybox", "sleep", "100000"]);
            await runtime.StartAsync(request with { Spec = request.Spec with { Linux = request.Spec.Linux with { Resources = new OciResources() } } }, CancellationToken.None);
            var times = new List<double>();
            for (var round = -WarmUp; round < rounds; round++)
            {
                var began = Stopwatch.GetTimestamp();
                await OneAsync(runtime, request.Spec.Process, $"e{round}");
                if (round >= 0)
                    times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
            Console.WriteLine($"exec true over the shim's socket (n={rounds}): {Figures.Row(times, "ms")}");
            await runtime.DeleteAsync("idle", CancellationToken.None);
            await process.ShutdownAsync(CancellationToken.None);
            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task OneAsync(IRuntime runtime, OciProcess process, string id)
    {
        await using var session = await runtime.ExecAsync(
            "idle",
            new ExecLaunch { ExecId = id, Process = process with { Args = ["/bin/busybox", "true"] }, Stdout = true, Stderr = true },
            CancellationToken.None);
        await session.Output!.CopyToAsync(Stream.Null);
        await session.Error!.CopyToAsync(Stream.Null);
        if ((await session.Ended).ExitCode != 0)
            throw new InvalidOperationException($"{id} failed");
    }
}
