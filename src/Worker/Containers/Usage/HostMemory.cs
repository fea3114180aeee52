using System.Globalization;

namespace Orchestrator.Worker.Containers.Usage;

/// <summary>The machine's memory; it does not change while we run.</summary>
internal static class HostMemory
{
    private static readonly Lazy<long> Bytes = new(() => Parse(File.ReadAllText("/proc/meminfo")));

    internal static long Total => Bytes.Value;

    /// <summary>proc_meminfo(5): <c>MemTotal:  16384 kB</c>.</summary>
    internal static long Parse(string text) =>
        long.Parse(text.Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
}
