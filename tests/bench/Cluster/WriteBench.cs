using System.Diagnostics;
using System.Globalization;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>
/// Writes of 256 bytes, durable on a majority of three: orch's managers beside etcd's members, both driven by this process through the same
/// client, in turn, round by round, since everything shares the machine and machines drift.
/// </summary>
internal static class WriteBench
{
    /// <summary>Set in the process that measures, which has a network namespace of its own.</summary>
    private const string Inside = "ORCH_BENCH_INSIDE";

    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Running = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(3);
    internal static readonly string Value = new('x', 256);

    internal static async Task<int> RunAsync(string[] arguments)
    {
        if (WriteArguments.Read(arguments) is not { } wanted)
            return 1;
        if (Environment.GetEnvironmentVariable(Inside) is null)
            return await RunApartAsync(arguments);
        var most = wanted.Clients.Max();
        string[] prefix = wanted.SyncDelay is { } delay ? [SlowSync(), delay] : [];
        var targets = new List<IWriteTarget>();
        try
        {
            if (wanted.Only is not "etcd")
                targets.Add(await OrchManagers.StartAsync(most, string.Concat(prefix.Select(w => $"{w} "))));
            if (wanted.Only is not "orch")
                targets.Add(await EtcdMembers.StartAsync(prefix));
            foreach (var target in targets)
                await WriteLoad.RunAsync(target, most, Warm, Running); // members that have been up for a while, as in life
            foreach (var clients in wanted.Clients)
                await CompareAsync(targets, clients, wanted);
        }
        finally
        {
            foreach (var target in targets)
                await target.DisposeAsync();
        }

        return 0;
    }

    private static async Task CompareAsync(List<IWriteTarget> targets, int clients, WriteArguments wanted)
    {
        var loads = targets.ConvertAll(_ => new List<WriteLoad>());
        for (var round = 0; round < wanted.Rounds; round++)
        {
            for (var n = 0; n < targets.Count; n++)
                loads[n].Add(await WriteLoad.RunAsync(targets[n], clients, Warm, Time));
        }

        Console.WriteLine($"{clients} client{(clients == 1 ? "" : "s")}{(wanted.SyncDelay is { } delay ? $", every sync {delay} ms longer" : "")}: medians of {wanted.Rounds} rounds");
        for (var n = 0; n < targets.Count; n++)
        {
            var of = loads[n];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {targets[n].Name,-6} {Figures.Median([.. of.Select(l => l.Rate)]),8:F0}/s  p50 {Figures.Median([.. of.Select(l => l.P50)]):F2} ms  p99 {Figures.Median([.. of.Select(l => l.P99)]):F2} ms  processor {Figures.Median([.. of.Select(l => l.Processor)]):F0} µs a write"));
        }

        if (targets.Count == 2)
            Console.WriteLine($"  orch/etcd, round by round: rate {Ratio(l => l.Rate)}  p50 {Ratio(l => l.P50)}  p99 {Ratio(l => l.P99)}  processor {Ratio(l => l.Processor)}");

        string Ratio(Func<WriteLoad, double> of)
        {
            var ratios = loads[0].Zip(loads[1], (a, b) => of(a) / of(b)).ToList();
            return string.Create(CultureInfo.InvariantCulture, $"{Figures.Median(ratios):F2} ({ratios.Min():F2} to {ratios.Max():F2})");
        }
    }

    /// <summary>The same command in a network namespace that has a loopback and nothing else.</summary>
    private static async Task<int> RunApartAsync(string[] arguments)
    {
        var missing = new[] { "etcd", "unshare", "ip" }.Where(p => !IsHere(p)).ToList();
        if (missing.Count > 0)
        {
            await Console.Error.WriteLineAsync($"not here: {string.Join(", ", missing)}; apt-get install etcd-server iproute2 util-linux");
            return 1;
        }

        var self = Environment.ProcessPath!;
        string[] command = Path.GetFileNameWithoutExtension(self) == "dotnet" ? [self, typeof(WriteBench).Assembly.Location] : [self];
        var start = new ProcessStartInfo("unshare", ["-n", "-m", "sh", "-ec", "ip link set lo up; exec \"$@\"", "sh", .. command, "writes", .. arguments]);
        start.Environment[Inside] = "1";
        using var process = Process.Start(start) ?? throw new InvalidOperationException("unshare did not start");
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private static bool IsHere(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>The script lies in the sources, above where this was built.</summary>
    private static string SlowSync()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (Path.Combine(folder.FullName, "scripts", "slow-sync") is var script && File.Exists(script))
                return script;
        }

        throw new InvalidOperationException("scripts/slow-sync is not above this program");
    }
}
