using System.Diagnostics;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>What a number of clients achieved that each write, wait for the acknowledgement and write again.</summary>
/// <param name="Rate">Acknowledged writes a second.</param>
/// <param name="P50">Milliseconds.</param>
/// <param name="P99">Milliseconds.</param>
internal sealed record WriteLoad(double Rate, double P50, double P99)
{
    /// <summary>Runs the clients for a while to warm up and then for the time that counts.</summary>
    /// <param name="clients">How many write at the same time.</param>
    /// <param name="write">One durable write of a client.</param>
    /// <param name="warm">Not counted.</param>
    /// <param name="time">Counted.</param>
    internal static async Task<WriteLoad> RunAsync(int clients, Func<int, Task> write, TimeSpan warm, TimeSpan time)
    {
        var began = Stopwatch.GetTimestamp();
        var loops = Enumerable.Range(0, clients).Select(ClientAsync).ToArray();
        var all = (await Task.WhenAll(loops)).SelectMany(times => times).Order().ToArray();
        if (all.Length == 0)
            throw new InvalidOperationException("no write was acknowledged in the time that counts");
        return new(all.Length / time.TotalSeconds, all[all.Length / 2], all[(int)(all.Length * 0.99)]);

        async Task<List<double>> ClientAsync(int client)
        {
            var times = new List<double>();
            while (true)
            {
                var start = Stopwatch.GetTimestamp();
                await write(client);
                var end = Stopwatch.GetElapsedTime(began);
                if (end >= warm + time)
                    return times;
                if (end >= warm)
                    times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }
    }
}
