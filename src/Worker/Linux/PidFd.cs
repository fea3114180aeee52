using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>How a child ended: <see cref="Signal"/> is 0 when it exited by itself.</summary>
internal readonly record struct ChildStatus(int ExitStatus, int Signal)
{
    /// <summary>As a shell says it.</summary>
    internal int ExitCode => Signal == 0 ? ExitStatus : 128 + Signal;
}

/// <summary>A process held by descriptor, so that its number cannot be reused under us (pidfd_open(2)).</summary>
internal static unsafe partial class PidFd
{
    private const int ByPidFd = 3;
    private const int AnyId = 0;
    private const int ByPid = 1;
    private const int Exited = 4;
    private const int Stopped = 2;
    private const int LeaveIt = 0x01000000;
    private const int NoHang = 1;
    private const int AnyChild = 0x40000000; // __WALL: also children without an exit signal
    private const int NoSuchProcess = 3;
    private const int Interrupted = 4;
    private const int CodeExited = 1;
    private const int CodeStopped = 5;
    private const nint PidFdSendSignal = 424;
    private const nint PidFdOpen = 434;

    /// <summary>Holds a process by its number; of our own children also one that has ended and is not collected (pidfd_open(2)).</summary>
    internal static SafeFileHandle Open(int pid)
    {
        var fd = syscall(PidFdOpen, pid, 0, 0, 0);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw LinuxException.Last($"pidfd_open {pid}");
    }

    /// <summary>Sends a signal; false when the process has ended.</summary>
    internal static bool Signal(SafeFileHandle pidFd, int signal)
    {
        if (syscall(PidFdSendSignal, (int)pidFd.DangerousGetHandle(), signal, 0, 0) == 0)
            return true;
        GC.KeepAlive(pidFd);
        return Marshal.GetLastPInvokeError() == NoSuchProcess ? false : throw LinuxException.Last($"send signal {signal}");
    }

    /// <summary>Sends a signal by number; a process that has ended is no error.</summary>
    internal static void Kill(int pid, int signal)
    {
        if (kill(pid, signal) == -1 && Marshal.GetLastPInvokeError() != NoSuchProcess)
            throw LinuxException.Last($"send signal {signal} to process {pid}");
    }

    /// <summary>Collects the status of our own child, waiting for its end.</summary>
    internal static ChildStatus Wait(SafeFileHandle pidFd) => Collect(pidFd, Exited | AnyChild)!.Value;

    /// <summary>Waits until our own child ends or is stopped; in the second case with the signal that stopped it.</summary>
    internal static (ChildStatus? Ended, int StoppedBy) WaitOrStop(SafeFileHandle pidFd)
    {
        var info = default(SignalInfo);
        while (waitid(ByPidFd, (int)pidFd.DangerousGetHandle(), &info, Exited | Stopped | AnyChild) == -1)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
                throw LinuxException.Last("waitid");
        }
        GC.KeepAlive(pidFd);
        return info.Code == CodeStopped ? (null, info.Status) : (info.Code == CodeExited ? new ChildStatus(info.Status, 0) : new ChildStatus(0, info.Status), 0);
    }

    /// <summary>Collects the status of our own child if it has ended.</summary>
    internal static ChildStatus? TryWait(SafeFileHandle pidFd) => Collect(pidFd, Exited | AnyChild | NoHang);

    /// <summary>The pid of a child that ended and was not collected yet, leaving it so; children that never executed a program are not seen.</summary>
    internal static int? FindEnded()
    {
        var info = default(SignalInfo);
        return waitid(AnyId, 0, &info, Exited | NoHang | LeaveIt) == 0 && info.Pid != 0 ? info.Pid : null;
    }

    /// <summary>Collects a child that ended.</summary>
    internal static void Reap(int pid)
    {
        var info = default(SignalInfo);
        if (waitid(ByPid, pid, &info, Exited | NoHang) == -1)
            throw LinuxException.Last($"waitid {pid}");
    }

    private static ChildStatus? Collect(SafeFileHandle pidFd, int options)
    {
        var info = default(SignalInfo);
        while (waitid(ByPidFd, (int)pidFd.DangerousGetHandle(), &info, options) == -1)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
                throw LinuxException.Last("waitid");
        }
        GC.KeepAlive(pidFd);
        if (info.Pid == 0)
            return null;
        return info.Code == CodeExited ? new ChildStatus(info.Status, 0) : new ChildStatus(0, info.Status);
    }

    /// <summary>siginfo_t as waitid(2) fills it on 64-bit.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct SignalInfo
    {
        [FieldOffset(8)] internal int Code;
        [FieldOffset(16)] internal int Pid;
        [FieldOffset(24)] internal int Status;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitid(int kind, int id, SignalInfo* info, int options);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d);
}
