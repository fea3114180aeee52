using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Linux;

/// <summary>Mounts by path (mount(2)).</summary>
internal static partial class Mounts
{
    internal const ulong ReadOnlyFlag = 1;
    internal const ulong BindFlag = 0x1000;
    internal const ulong RecursiveFlag = 0x4000;
    internal const ulong PrivateFlag = 1 << 18;

    internal static void Mount(string? source, string target, string? type, ulong flags, string? data)
    {
        if (mount(source, target, type, flags, data) == -1)
            throw LinuxException.Last($"mount {(type is null ? "" : type + " ")}{source} on {target}");
    }

    /// <summary>True when something is mounted on the very directory.</summary>
    internal static bool IsMounted(string point) => Below(point).Contains(Path.TrimEndingDirectorySeparator(point));

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string? source, string target, string? type, ulong flags, string? data);
}
