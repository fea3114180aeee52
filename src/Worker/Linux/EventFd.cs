using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>eventfd(2): a counter that the kernel or a writer raises and a reader sets back to 0, or lowers.</summary>
internal static partial class EventFd
{
    private const int Flags = 0x80800; // close-on-exec, non-blocking
    private const int Semaphore = 1;
    private const int Interrupted = 4;

    internal static SafeFileHandle Make()
    {
        var fd = eventfd(0, Flags);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw LinuxException.Last("eventfd");
    }

    /// <summary>One that a reader lowers by 1, waiting for it to be more than 0: a semaphore without a turn in it.</summary>
    internal static SafeFileHandle MakeSemaphore()
    {
        var fd = eventfd(0, KernelFile.CloseOnExec | Semaphore);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw LinuxException.Last("eventfd");
    }

    /// <summary>Raises it by 1.</summary>
    internal static void Raise(SafeFileHandle fd)
    {
        if (write(fd, 1, sizeof(ulong)) != sizeof(ulong))
            throw LinuxException.Last("write eventfd");
    }

    /// <summary>Waits until a semaphore is more than 0, and lowers it.</summary>
    internal static void Wait(SafeFileHandle fd)
    {
        while (read(fd, out _, sizeof(ulong)) != sizeof(ulong))
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
                throw LinuxException.Last("read eventfd");
        }
    }

    /// <summary>How often it was raised since the last time; 0: not at all.</summary>
    internal static ulong Take(SafeFileHandle fd) => read(fd, out var count, sizeof(ulong)) == sizeof(ulong) ? count : 0;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(SafeFileHandle fd, out ulong count, nint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(SafeFileHandle fd, in ulong count, nint size);
}
