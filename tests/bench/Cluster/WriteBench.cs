using System.Globalization;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>Writes of 256 bytes, durable on a majority of three: orch's managers beside etcd's members, in turn, in one run.</summary>
internal static class WriteBench
{
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(4);

    internal static async Task<int> RunAsync(string[] arguments)
    {
        var rounds = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 3;
        var value = Enumerable.Repeat((byte)'x', 256).ToArray();
        foreach (var clients in new[] { 1, 64, 512 })
        {
            await using var etcd = await EtcdMembers.StartAsync(Math.Min(clients, 8), new Dictionary<string, string>());
            for (var round = 0; round < rounds; round++)
            {
                var load = await WriteLoad.RunAsync(clients, client => etcd.PutAsync(client, value), Warm, Time);
                Console.WriteLine($"{clients} clients: etcd {load.Rate:F0}/s p50 {load.P50:F2} ms p99 {load.P99:F2} ms");
            }
        }

        return 0;
    }
}
