using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Linux;

/// <summary>Who owns a path (chown(2)).</summary>
internal static partial class FileOwner
{
    private const uint Unchanged = uint.MaxValue;

    internal static void SetGroup(string path, uint group)
    {
        if (chown(path, Unchanged, group) == -1)
            throw LinuxException.Last($"chown {path} to group {group}");
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chown(string path, uint owner, uint group);
}
