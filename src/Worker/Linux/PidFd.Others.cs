using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>Processes that are not our children: their status is not ours to collect, but a descriptor opened in time still tells it.</summary>
internal static unsafe partial class PidFd
{
    private const nint PidFdOpenNumber = 434;
    private const nuint GetInfo = 0xc040ff0b; // _IOWR(0xff, 11, 64 bytes)
    private const ulong WantExit = 8;
    private const int InvalidArgument = 22;
    private const short PollIn = 1;

    /// <summary>Holds a process by its number; null when there is none. The number may have been another's before: check what it is afterwards.</summary>
    internal static SafeFileHandle? Find(int pid)
    {
        var fd = syscall(PidFdOpenNumber, pid, 0, 0, 0);
        if (fd >= 0)
            return new SafeFileHandle(fd, ownsHandle: true);
        // EINVAL: the number is a thread's, or that of a process whose leader is gone.
        return Marshal.GetLastPInvokeError() is NoSuchProcess or InvalidArgument ? null : throw LinuxException.Last($"pidfd_open {pid}");
    }

    /// <summary>The process has ended, whether or not its parent has collected it.</summary>
    internal static bool HasEnded(SafeFileHandle pidFd)
    {
        var one = new PollFd { Descriptor = (int)pidFd.DangerousGetHandle(), Events = PollIn };
        int ready;
        while ((ready = poll(&one, 1, 0)) == -1)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
                throw LinuxException.Last("poll a process");
        }
        GC.KeepAlive(pidFd);
        return ready > 0;
    }

    /// <summary>
    /// How a process that has ended did so, whoever its parent is. Once it is collected, only a descriptor that was open before tells (Linux 6.15);
    /// until then its line in /proc does. Null: neither does.
    /// </summary>
    internal static ChildStatus? StatusOfOther(SafeFileHandle pidFd, int pid)
    {
        for (var attempt = 0; attempt < 2; attempt++)
        {
            if (Collected(pidFd) is { } status)
                return Decode(status);
            if (ProcessStat.Read(pid) is { Ended: true } stat && HasEnded(pidFd))
                return Decode(stat.WaitStatus);
            // It may have been collected between the two looks.
        }
        return null;
    }

    /// <summary>A status as wait(2) gives it.</summary>
    internal static ChildStatus Decode(int waitStatus) =>
        (waitStatus & 0x7f) == 0 ? new ChildStatus((waitStatus >> 8) & 0xff, 0) : new ChildStatus(0, waitStatus & 0x7f);

    private static int? Collected(SafeFileHandle pidFd)
    {
        var info = new ProcessInfo { Mask = WantExit };
        var failed = ioctl(pidFd, GetInfo, &info) == -1;
        return failed || (info.Mask & WantExit) == 0 ? null : info.ExitCode; // older kernels refuse the call or do not know the bit
    }

    /// <summary>struct pidfd_info in its first size.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct ProcessInfo
    {
        [FieldOffset(0)] internal ulong Mask;
        [FieldOffset(60)] internal int ExitCode;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFd
    {
        internal int Descriptor;
        internal short Events;
        internal short Ready;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle fd, nuint request, ProcessInfo* info);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollFd* fds, nuint count, int milliseconds);
}
