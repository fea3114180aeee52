using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Linux;

/// <summary>What is mounted in this process's mount namespace.</summary>
internal static partial class Mounts
{
    private const int Detach = 2;
    private const int NoFollow = 8;
    private const ulong NoSuid = 2;
    private const ulong NoDev = 4;
    private const ulong NoExec = 8;

    /// <summary>Mount points at or below a directory, the last mounted first.</summary>
    internal static IReadOnlyList<string> Below(string directory) => Parse(File.ReadAllText("/proc/self/mountinfo"), directory);

    /// <summary>Field 5 of each line of mountinfo, proc_pid_mountinfo(5), which writes space, tab, newline and backslash in octal.</summary>
    internal static IReadOnlyList<string> Parse(string mountInfo, string directory)
    {
        var root = Path.TrimEndingDirectorySeparator(directory);
        return
        [
            .. mountInfo.Split('\n').Select(line => line.Split(' ')).Where(fields => fields.Length > 5).Select(fields => Unescape(fields[4]))
                .Where(point => point == root || point.StartsWith(root + "/", StringComparison.Ordinal)).Reverse(),
        ];
    }

    /// <summary>Mount points of the file systems of some types, the last mounted first.</summary>
    internal static IReadOnlyList<string> OfTypes(params ReadOnlySpan<string> types) => ParseTypes(File.ReadAllText("/proc/self/mountinfo"), types);

    /// <summary>The type stands first behind the dash, after fields that vary in number.</summary>
    internal static IReadOnlyList<string> ParseTypes(string mountInfo, params ReadOnlySpan<string> types)
    {
        var points = new List<string>();
        foreach (var line in mountInfo.Split('\n'))
        {
            if (line.Split(" - ", 2) is [var before, var after] && types.Contains(after.Split(' ')[0]) && before.Split(' ') is { Length: > 4 } fields)
                points.Add(Unescape(fields[4]));
        }

        points.Reverse();
        return points;
    }

    /// <summary>Takes the mount away from the tree now; it ends when nobody uses it any more.</summary>
    internal static void Unmount(string point)
    {
        if (umount2(point, Detach | NoFollow) == -1)
            throw LinuxException.Last($"unmount {point}");
    }

    /// <summary>
    /// A file system in memory whose pages never reach a swap device: tmpfs with <c>noswap</c> (Linux 6.4), else ramfs, which has never swapped.
    /// </summary>
    internal static void MountMemory(string point, long bytes, ulong mode)
    {
        const ulong flags = NoSuid | NoDev | NoExec;
        var octal = Convert.ToString((long)mode, 8);
        if (mount("tmpfs", point, "tmpfs", flags, $"size={bytes},mode={octal},noswap") == 0)
            return;
        if (Marshal.GetLastPInvokeError() != FileErrno.EINVAL || mount("ramfs", point, "ramfs", flags, $"mode={octal}") == -1)
            throw LinuxException.Last($"mount a file system in memory on {point}");
    }

    private static string Unescape(string field) =>
        field.Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal)
            .Replace("\\012", "\n", StringComparison.Ordinal).Replace("\\134", "\\", StringComparison.Ordinal);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int umount2(string target, int flags);
}
