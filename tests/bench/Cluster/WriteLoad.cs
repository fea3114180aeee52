using System.Diagnostics;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>What a number of clients achieved that each write, wait for the acknowledgement and write again.</summary>
/// <param name="Rate">Acknowledged writes a second.</param>
/// <param name="P50">Milliseconds.</param>
/// <param name="P99">Milliseconds.</param>
/// <param name="Processor">Microseconds of processor time a write, of all members together.</param>
internal sealed record WriteLoad(double Rate, double P50, double P99, double Processor)
{
    private const int MostConnections = 8;

    /// <summary>Runs the clients for a while to warm up and then for the time that counts.</summary>
    /// <param name="target">Who is written to.</param>
    /// <param name="clients">How many write at the same time, over at most eight connections.</param>
    /// <param name="warm">Not counted.</param>
    /// <param name="time">Counted.</param>
    internal static async Task<WriteLoad> RunAsync(IWriteTarget target, int clients, TimeSpan warm, TimeSpan time)
    {
        var connections = Math.Min(clients, MostConnections);
        var streams = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => target.ConnectAsync()));
        var times = Enumerable.Range(0, connections).Select(_ => new List<double>()).ToArray();
        var writes = 0L;
        var used = ProcessorTime.Of(target.Roots);
        var began = Stopwatch.GetTimestamp();
        try
        {
            await Task.WhenAll(Enumerable.Range(0, connections).Select(n => new GrpcLoad(
                streams[n], target, [.. Enumerable.Range(0, clients).Where(c => c % connections == n)],
                () => Stopwatch.GetElapsedTime(began) < warm + time,
                (_, from, to) =>
                {
                    Interlocked.Increment(ref writes);
                    if (Stopwatch.GetElapsedTime(began, to) is var at && at >= warm && at < warm + time)
                        times[n].Add(Stopwatch.GetElapsedTime(from, to).TotalMilliseconds);
                }).RunAsync()));
        }
        finally
        {
            foreach (var stream in streams)
                await stream.DisposeAsync();
        }

        used = ProcessorTime.Of(target.Roots) - used;
        var all = times.SelectMany(t => t).Order().ToArray();
        if (all.Length == 0)
            throw new InvalidOperationException("no write was acknowledged in the time that counts");
        return new(all.Length / time.TotalSeconds, all[all.Length / 2], all[(int)(all.Length * 0.99)], used / writes * 1e6);
    }
}
