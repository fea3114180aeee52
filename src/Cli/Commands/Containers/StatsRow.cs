using System.Globalization;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary>The table of <c>stats</c>, computed as the docker client does.</summary>
internal static class StatsRow
{
    internal const string Unknown = "--";

    internal static Listing<StatsReading> Listing(bool noTrunc) => new(
        [
            new("Container", "CONTAINER", r => r.Asked),
            new("Name", "NAME", r => r.Stats is { Name.Length: > 1 } s ? s.Name.TrimStart('/') : Unknown),
            new("ID", "CONTAINER ID", r => r.Stats is { } s ? Texts.Id(s.Id, noTrunc) : Unknown),
            new("CPUPerc", "CPU %", r => r.Stats is { } s ? Percent(Cpu(s)) : Unknown),
            new("MemUsage", "MEM USAGE / LIMIT", r => r.Stats is { } s ? $"{Humanized.BinarySize(Used(s.Memory))} / {Humanized.BinarySize(s.Memory.Limit)}" : "-- / --"),
            new("MemPerc", "MEM %", r => r.Stats is { } s ? Percent(s.Memory.Limit > 0 ? 100.0 * Used(s.Memory) / s.Memory.Limit : 0) : Unknown),
            new("NetIO", "NET I/O", r => r.Stats is { } s ? Both(Sum(s.Networks, n => n.RxBytes), Sum(s.Networks, n => n.TxBytes)) : Unknown),
            new("BlockIO", "BLOCK I/O", r => r.Stats is { } s ? Both(Sum(s.Blkio, 'r'), Sum(s.Blkio, 'w')) : Unknown),
            new("PIDs", "PIDS", r => r.Stats is { } s ? s.Pids.Current.ToString(CultureInfo.InvariantCulture) : Unknown),
        ],
        ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"]);

    /// <summary>The share of one processor between two readings: 200% is two processors.</summary>
    internal static double Cpu(ContainerStats stats)
    {
        var (used, system) = (stats.Cpu.Times.Total - stats.PreCpu.Times.Total, stats.Cpu.System - stats.PreCpu.System);
        return used > 0 && system > 0 && stats.PreCpu.System > 0 ? (double)used / system * Math.Max(1, stats.Cpu.OnlineCpus) * 100 : 0;
    }

    /// <summary>Without the file cache that the kernel would give up at once.</summary>
    internal static long Used(MemoryUsage memory)
    {
        if (memory.Stats is not { } stats)
            return memory.Usage;
        var cache = stats.TryGetValue("total_inactive_file", out var v1) ? v1 : stats.GetValueOrDefault("inactive_file");
        return cache < memory.Usage ? memory.Usage - cache : memory.Usage;
    }

    private static long Sum(IReadOnlyDictionary<string, InterfaceUsage>? networks, Func<InterfaceUsage, long> of) => (networks?.Values ?? []).Sum(of);

    private static long Sum(BlkioUsage io, char operation) =>
        (io.Bytes ?? []).Where(e => e.Operation.Length > 0 && char.ToLowerInvariant(e.Operation[0]) == operation).Sum(e => e.Value);

    private static string Percent(double share) => share.ToString("0.00", CultureInfo.InvariantCulture) + "%";

    private static string Both(long a, long b) => $"{Humanized.Size(a)} / {Humanized.Size(b)}";
}

/// <summary>The last reading of a container, under the name it was asked for; null before the first.</summary>
internal sealed record StatsReading(string Asked, ContainerStats? Stats);
