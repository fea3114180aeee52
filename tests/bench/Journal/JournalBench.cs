using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Tests.Bench.Journal;

/// <summary>
/// Entries of 256 bytes through one journal with 1, 64 and 512 under way, with snapshots and compaction as a voter takes them, beside
/// a loop that overwrites 4 KiB of a file and syncs it; and what sealing costs. With <c>scripts/slow-sync 5</c> before it, on a slow disk.
/// </summary>
internal static class JournalBench
{
    private const int EntryBytes = 256;
    private const ulong SnapshotEvery = 10_000;

    internal static async Task<int> RunAsync(string[] arguments)
    {
        var seconds = arguments.Length > 0 ? double.Parse(arguments[0], CultureInfo.InvariantCulture) : 5;
        var server = arguments.Length > 1 ? arguments[1] : null;
        var root = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, $"journal-{Environment.ProcessId}")).FullName;
        try
        {
            Seal();
            Row("plain fdatasync loop, 4 KiB", Sync(Path.Combine(root, "plain"), seconds), seconds);
            foreach (var underWay in (int[])[1, 64, 512])
                await WriteAsync(Path.Combine(root, $"j{underWay}"), server, underWay, seconds);
            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static void Seal()
    {
        var directory = Directory.CreateTempSubdirectory("orch-seal-");
        try
        {
            using var seal = new JournalSeal(JournalKeys.Create(new JournalKeyFile(directory.FullName, _ => { }), TimeProvider.System), "bench");
            var payload = RandomNumberGenerator.GetBytes(EntryBytes);
            const int Rounds = 200_000;
            for (var i = 0; i < Rounds / 10; i++)
                seal.Seal("command", (ulong)i, 1, payload);
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < Rounds; i++)
                seal.Seal("command", (ulong)i, 1, payload);
            Console.WriteLine($"sealing {EntryBytes} bytes: {Stopwatch.GetElapsedTime(start).TotalMicroseconds / Rounds:F2} µs");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static List<double> Sync(string path, double seconds)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
        var page = new byte[4096];
        List<double> took = [];
        RandomAccess.Write(file, page, 0);
        RandomAccess.FlushToDisk(file);
        for (var begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds;)
        {
            var start = Stopwatch.GetTimestamp();
            RandomAccess.Write(file, page, 0);
            RandomAccess.FlushToDisk(file);
            took.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return took;
    }

    private static async Task WriteAsync(string directory, string? server, int underWay, double seconds)
    {
        var options = new JournalOptions { Directory = directory, PersistenceId = $"bench-{Guid.NewGuid():N}", Server = server };
        await using var journal = Journals.Open(options);
        await journal.OpenAsync(default);
        var payload = RandomNumberGenerator.GetBytes(EntryBytes);
        var order = new Lock();
        var took = new ConcurrentBag<List<double>>();
        var (last, snapshots) = (0ul, Task.CompletedTask);
        var begun = Stopwatch.GetTimestamp();

        Task Next(out ulong index)
        {
            lock (order)
            {
                index = ++last;
                return journal.WriteAsync(new(new(1, new(1), index - 1), [new(index, 1, EntryKind.Command, payload)]));
            }
        }

        async Task ClientAsync()
        {
            List<double> own = [];
            while (Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds)
            {
                var start = Stopwatch.GetTimestamp();
                await Next(out var index);
                own.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                if (index % SnapshotEvery == 0 && snapshots.IsCompleted)
                    snapshots = journal.SaveSnapshotAsync(new(index, 1, Membership.Of([new(1)])), new byte[4 << 20], index - 500);
            }

            took.Add(own);
        }

        await Task.WhenAll(Enumerable.Range(0, underWay).Select(_ => Task.Run(ClientAsync)));
        await snapshots;
        Row($"journal, {underWay} under way", [.. took.SelectMany(t => t)], seconds);
    }

    private static void Row(string what, List<double> milliseconds, double seconds)
    {
        milliseconds.Sort();
        double At(double share) => milliseconds[(int)Math.Min(milliseconds.Count - 1, milliseconds.Count * share)];
        Console.WriteLine($"{what,-30} {milliseconds.Count / seconds,9:F0} /s   p50 {At(0.5),7:F2}  p99 {At(0.99),7:F2}  p99.9 {At(0.999),7:F2}  max {milliseconds[^1],7:F2} ms");
    }
}
