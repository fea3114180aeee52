using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>The texts in which the kernel counts (cgroup-v1, cgroup-v2.rst, proc_pid_net(5)), read.</summary>
internal static class CgroupTexts
{
    /// <summary>Lines of a name and a number; other lines are skipped.</summary>
    internal static ImmutableDictionary<string, long> Pairs(string? text)
    {
        var pairs = ImmutableDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        foreach (var line in (text ?? "").Split('\n'))
        {
            var words = line.Split(' ');
            if (words.Length == 2 && Number(words[1]) is { } value)
                pairs[words[0]] = value;
        }
        return pairs.ToImmutable();
    }

    /// <summary>A number; null for <c>max</c> and for what is not there.</summary>
    internal static long? Number(string? text) =>
        long.TryParse((text ?? "").AsSpan().Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>v1: <c>8:0 Read 4096</c>, one file of bytes and one of operations.</summary>
    internal static ImmutableArray<DeviceCount> LegacyIo(string? bytes, string? operations)
    {
        var counts = new SortedDictionary<(long, long), DeviceCount>();
        foreach (var (device, word, value) in LegacyLines(bytes))
            Change(device, c => word == "Read" ? c with { ReadBytes = value } : c with { WrittenBytes = value });
        foreach (var (device, word, value) in LegacyLines(operations))
            Change(device, c => word == "Read" ? c with { Reads = value } : c with { Writes = value });
        return [.. counts.Values];

        void Change((long Major, long Minor) device, Func<DeviceCount, DeviceCount> with) =>
            counts[device] = with(counts.GetValueOrDefault(device) ?? new DeviceCount(device.Major, device.Minor, 0, 0, 0, 0));
    }

    /// <summary>v2's io.stat: <c>8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6</c>.</summary>
    internal static ImmutableArray<DeviceCount> UnifiedIo(string? text)
    {
        var counts = ImmutableArray.CreateBuilder<DeviceCount>();
        foreach (var line in (text ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (Device(words[0]) is not var (major, minor))
                continue;
            long Of(string key) => words.Where(w => w.StartsWith(key + "=", StringComparison.Ordinal)).Select(w => Number(w[(key.Length + 1)..]) ?? 0).FirstOrDefault();
            counts.Add(new DeviceCount(major, minor, Of("rbytes"), Of("wbytes"), Of("rios"), Of("wios")));
        }
        return counts.ToImmutable();
    }

    /// <summary>/proc/PID/net/dev: two lines of head, then a name, a colon and sixteen numbers.</summary>
    internal static ImmutableArray<InterfaceCount> Interfaces(string? text)
    {
        var counts = ImmutableArray.CreateBuilder<InterfaceCount>();
        foreach (var line in (text ?? "").Split('\n').Skip(2))
        {
            var colon = line.IndexOf(':');
            if (colon < 0)
                continue;
            var name = line[..colon].Trim();
            long[] n = [.. line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => Number(w) ?? 0)];
            if (name != "lo" && n.Length >= 12)
                counts.Add(new InterfaceCount(name, n[0], n[1], n[2], n[3], n[8], n[9], n[10], n[11]));
        }
        return counts.ToImmutable();
    }

    private static IEnumerable<((long, long) Device, string Word, long Value)> LegacyLines(string? text)
    {
        foreach (var line in (text ?? "").Split('\n'))
        {
            if (line.Split(' ') is [var name, var word, var number] && (word is "Read" or "Write") && Device(name) is { } device && Number(number) is { } value)
                yield return (device, word, value);
        }
    }

    private static (long Major, long Minor)? Device(string text) =>
        text.Split(':') is [var major, var minor] && Number(major) is { } a && Number(minor) is { } b ? (a, b) : null;
}
