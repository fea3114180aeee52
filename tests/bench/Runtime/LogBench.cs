using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Worker.Runtime.Shim;

namespace Orchestrator.Tests.Bench.Runtime;

/// <summary>
/// One container that writes lines as fast as it can, through the shim into its json-file log: how much a second, whether every line is there, and
/// what the shim's memory does meanwhile. Once alone, once with a session that reads along and one that never reads.
/// </summary>
internal static class LogBench
{
    private const string Line = "2026-01-01T00:00:00Z INFO request served in 12 ms path=/index.html status=200 bytes=5120 agent=bench";

    internal static async Task<int> RunAsync(string[] arguments)
    {
        var megabytes = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 512;
        var root = $"/tmp/orch-logs-{Environment.ProcessId}";
        var instance = $"orch-logs-{Environment.ProcessId}";
        RuntimeBench.MakeImage(root);
        try
        {
            await using var process = new ShimProcess(
                new ShimCommand { Arguments = [OrchBinary.Path, "shim", "--exec-root", $"{root}/run"], ExecRoot = $"{root}/run", CgroupPath = $"/{instance}/shim" },
                NullLogger.Instance);
            var runtime = new ShimRuntime(process);
            var identity = JsonNode.Parse((await process.CallAsync("shim", "hello", ReadOnlyMemory<byte>.Empty, CancellationToken.None)).Span)!;
            var shim = identity["Pid"]!.GetValue<int>();
            await MeasureAsync("warm-up", "warm", 16, []);
            await MeasureAsync("alone", "alone", megabytes, []);
            await using (var reads = await runtime.AttachAsync("watched", CancellationToken.None))
            await using (var stands = await runtime.AttachAsync("watched", CancellationToken.None))
            {
                var reading = reads.Output.CopyToAsync(Stream.Null);
                await MeasureAsync("with a session that reads and one that does not", "watched", megabytes, [reading]);
            }
            await process.ShutdownAsync(CancellationToken.None);
            return 0;

            async Task MeasureAsync(string what, string id, int size, IReadOnlyList<Task> after)
            {
                var lines = ((long)size << 20) / (Line.Length + 1);
                var request = RuntimeBench.Request(root, instance, id, ["/bin/busybox", "sh", "-c", $"/bin/busybox yes '{Line}' | /bin/busybox head -n {lines}"]);
                request = request with { Spec = request.Spec with { Linux = request.Spec.Linux with { Resources = request.Spec.Linux.Resources with { Cpu = new() } } } };
                var ended = new ExitWaiter();
                using var stop = new CancellationTokenSource();
                var watching = ended.WatchAsync(runtime, stop.Token);
                var exit = ended.For(id);
                var most = Resident(shim);
                var ticks = Ticks(shim);
                var watch = Stopwatch.StartNew();
                await runtime.StartAsync(request, CancellationToken.None);
                while (await Task.WhenAny(exit, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None)) != exit)
                    most = Math.Max(most, Resident(shim));
                var seconds = watch.Elapsed.TotalSeconds;
                var busy = (Ticks(shim) - ticks) / 100.0;
                await Task.WhenAll(after);
                await stop.CancelAsync();
                await watching;
                var logged = Count(request.Log.Path);
                Console.WriteLine($"{what}: {size / seconds:F0} MB/s of output ({new FileInfo(request.Log.Path).Length / seconds / (1 << 20):F0} MB/s of log), {logged} of {lines} lines, shim at most {most / 1024} MiB resident, {size / busy:F0} MB for each second of its processor time");
                await runtime.DeleteAsync(id, CancellationToken.None);
                Directory.Delete($"{root}/c/{id}", recursive: true);
                if (logged != lines)
                    throw new InvalidOperationException($"{lines - logged} lines were lost");
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static long Count(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var buffer = new byte[1 << 20];
        long lines = 0;
        while (file.Read(buffer) is > 0 and var count)
            lines += buffer.AsSpan(0, count).Count((byte)'\n');
        return lines;
    }

    /// <summary>Processor time in hundredths of a second, proc_pid_stat(5): user and system.</summary>
    private static long Ticks(int pid)
    {
        var fields = File.ReadAllText($"/proc/{pid}/stat").Split(") ")[1].Split(' ');
        return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
    }

    /// <summary>KiB.</summary>
    private static long Resident(int pid) => long.Parse(
        File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
