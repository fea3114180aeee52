using System.Globalization;
using Orchestrator.Tests.Bench.Services;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>What processes have used of the processors: on a busy machine a steadier figure than any rate.</summary>
internal static class ProcessorTime
{
    /// <summary>Linux counts in hundredths of a second (sysconf(_SC_CLK_TCK)) wherever orch runs.</summary>
    private const double Tick = 0.01;

    /// <summary>Seconds of all processes whose command line holds one of the roots, user and system.</summary>
    internal static double Of(IReadOnlyList<string> roots)
    {
        var ticks = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                continue;
            var command = PeerDaemon.CommandLine(pid);
            if (roots.Any(root => command.Contains(root, StringComparison.Ordinal)) && !command.Contains("slow-sync", StringComparison.Ordinal))
                ticks += Ticks(folder);
        }

        return ticks * Tick;
    }

    /// <summary>proc(5), stat: fields 14 and 15, counted after the name, which may hold anything.</summary>
    private static long Ticks(string folder)
    {
        var stat = File.ReadAllText(Path.Combine(folder, "stat"));
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
    }
}
