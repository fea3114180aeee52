using System.Globalization;

namespace Orchestrator.Worker.Containers.Processes;

/// <summary>What the columns need of the machine.</summary>
/// <param name="Now">In local time.</param>
/// <param name="Uptime">Ticks of a hundredth of a second since boot.</param>
/// <param name="Memory">Bytes.</param>
/// <param name="Users">Names by number.</param>
/// <param name="Groups">Names by number.</param>
internal sealed record ProcessHost(
    DateTimeOffset Now, long Uptime, long Memory, IReadOnlyDictionary<uint, string> Users, IReadOnlyDictionary<uint, string> Groups)
{
    internal static ProcessHost Read(TimeProvider time) => new(
        time.GetLocalNow(),
        (long)(double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture) * 100),
        Usage.HostMemory.Total,
        Names("/etc/passwd"),
        Names("/etc/group"));

    /// <summary>passwd(5) and group(5) have name and number in the same places; the first of a number counts.</summary>
    internal static IReadOnlyDictionary<uint, string> ParseNames(string text)
    {
        var names = new Dictionary<uint, string>();
        foreach (var line in text.Split('\n'))
        {
            if (line.Split(':') is [var name, _, var number, ..] && uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                names.TryAdd(id, name);
        }

        return names;
    }

    private static IReadOnlyDictionary<uint, string> Names(string path) => ParseNames(File.Exists(path) ? File.ReadAllText(path) : "");
}
