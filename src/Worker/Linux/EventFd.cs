using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>eventfd(2): a counter that the kernel raises and a reader sets back to 0.</summary>
internal static partial class EventFd
{
    private const int Flags = 0x80800; // close-on-exec, non-blocking

    internal static SafeFileHandle Make()
    {
        var fd = eventfd(0, Flags);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw LinuxException.Last("eventfd");
    }

    /// <summary>How often it was raised since the last time; 0: not at all.</summary>
    internal static ulong Take(SafeFileHandle fd) => read(fd, out var count, sizeof(ulong)) == sizeof(ulong) ? count : 0;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(SafeFileHandle fd, out ulong count, nint size);
}
