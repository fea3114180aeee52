using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>
/// In which pid namespace the calling thread's next children are born, pid_namespaces(7): setns(2) with CLONE_NEWPID moves nobody, the thread
/// included. While it is another's than its own the thread can start no other thread, so the way back is part of every visit.
/// </summary>
internal static partial class ChildPids
{
    private const int NewPid = 0x20000000;
    private static readonly Lazy<SafeFileHandle> Own = new(() => Namespaces.Open("/proc/self/ns/pid"));

    /// <summary>From now on in the process's, a namespace that is this process's own or below it.</summary>
    /// <exception cref="LinuxException">Errno 3 (ESRCH): it has ended.</exception>
    internal static void BornWith(SafeFileHandle process)
    {
        _ = Own.Value; // else there might be no way back
        if (setns(process, NewPid) == -1)
            throw LinuxException.Last("enter the container's pid namespace");
    }

    /// <summary>From now on in this process's own again.</summary>
    internal static void BornHere()
    {
        if (setns(Own.Value, NewPid) == -1)
            Environment.FailFast("orch: the way back to its own pid namespace is closed to a launching thread", LinuxException.Last("setns"));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle target, int kind);
}
