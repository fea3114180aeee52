using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>Moves bytes from a pipe into a file within the kernel: there is no moment in which they are in neither.</summary>
internal static unsafe partial class SpoolFile
{
    private const int Again = 11;
    private const int Interrupted = 4;
    private const uint NonBlocking = 2; // SPLICE_F_NONBLOCK
    private const int KeepSize = 1;
    private const int PunchHole = 2;
    private const int ReadWriteCreate = 0x42; // O_RDWR | O_CREAT
    private const int CloseOnExec = 0x80000;

    /// <summary>Opens for reading and writing and makes it (0600) when it is not there.</summary>
    internal static SafeFileHandle Open(string path)
    {
        var fd = open(path, ReadWriteCreate | CloseOnExec, 0x180);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw LinuxException.Last($"open {path}");
    }

    /// <summary>Bytes moved to <paramref name="offset"/>; 0 when every writer is gone; -1 when there is nothing now.</summary>
    internal static int Move(SafeFileHandle pipe, SafeFileHandle file, long offset, int most)
    {
        while (true)
        {
            var at = offset;
            var count = splice(pipe, null, file, &at, (nuint)most, NonBlocking);
            if (count >= 0)
                return (int)count;
            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    continue;
                case Again:
                    return -1;
                default:
                    throw LinuxException.Last("splice output into its spool");
            }
        }
    }

    /// <summary>Gives the space of the first bytes back; offsets stay. False where the file system cannot.</summary>
    internal static bool Drop(SafeFileHandle file, long until) => fallocate(file, KeepSize | PunchHole, 0, until) == 0;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint splice(SafeFileHandle from, long* fromOffset, SafeFileHandle to, long* toOffset, nuint length, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(SafeFileHandle fd, int mode, long offset, long length);
}
