using System.Globalization;

namespace Orchestrator.Worker.Containers.Usage;

/// <summary>The machine's processor time, against which a container's is measured.</summary>
/// <param name="Total">Nanoseconds of all processors since boot, idle ones included.</param>
/// <param name="Online">Processors.</param>
internal sealed record HostCpu(long Total, int Online)
{
    private const long NanosecondsPerTick = 10_000_000; // USER_HZ is 100

    /// <summary>user, nice, system, idle, iowait, irq, softirq: those that Docker adds up; steal and guest would count twice.</summary>
    private const int Fields = 7;

    internal static HostCpu Read() => Parse(File.ReadAllText("/proc/stat"));

    /// <summary>proc_stat(5).</summary>
    internal static HostCpu Parse(string text)
    {
        var total = 0L;
        var online = 0;
        foreach (var line in text.Split('\n'))
        {
            if (!line.StartsWith("cpu", StringComparison.Ordinal))
                continue;
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words[0] != "cpu")
                online++;
            else
                total = words.Skip(1).Take(Fields).Sum(w => long.Parse(w, CultureInfo.InvariantCulture)) * NanosecondsPerTick;
        }

        return new HostCpu(total, online);
    }
}
