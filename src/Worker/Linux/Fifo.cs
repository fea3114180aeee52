using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>Pipes, and terminals where they act alike. Named ones outlive the process that reads them, which plain ones do not.</summary>
internal static unsafe partial class Fifo
{
    /// <summary>Answer of <see cref="Write"/>.</summary>
    internal const int NobodyReads = -2;

    private const int Again = 11;
    private const int Interrupted = 4;
    private const int Exists = 17;
    private const int InputOutput = 5;
    private const int Broken = 32;
    private const int SetStatusFlags = 4;
    private const int DuplicateCloseOnExec = 1030;
    private const int SetPipeSize = 1031;

    /// <summary>Makes the FIFO with mode 0600; one that is left from before is used again.</summary>
    internal static void Make(string path)
    {
        if (mkfifo(path, 0x180) == -1 && Marshal.GetLastPInvokeError() != Exists)
            throw LinuxException.Last($"mkfifo {path}");
    }

    /// <summary>Gives an open FIFO to a container's user, so that its programs may reopen <c>/dev/stdout</c>.</summary>
    internal static void Give(SafeFileHandle fifo, uint uid, uint gid)
    {
        if (fchown(fifo, uid, gid) == -1)
            throw LinuxException.Last($"fchown FIFO to {uid}:{gid}");
    }

    /// <summary>Operations on this end return at once. It is the open file that changes, so all its duplicates do.</summary>
    internal static void DoNotBlock(SafeFileHandle end, int access)
    {
        if (fcntl(end, SetStatusFlags, access | KernelFile.NonBlocking) == -1)
            throw LinuxException.Last("fcntl O_NONBLOCK");
    }

    /// <summary>Another descriptor of the same open file.</summary>
    internal static SafeFileHandle Duplicate(SafeFileHandle end)
    {
        var fd = fcntl(end, DuplicateCloseOnExec, 0);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw LinuxException.Last("fcntl F_DUPFD_CLOEXEC");
    }

    /// <summary>Lets the pipe hold more, if the user's share of pipe memory allows it; the new capacity is not needed for correctness.</summary>
    internal static void Widen(SafeFileHandle end, int bytes) => _ = fcntl(end, SetPipeSize, bytes);

    /// <summary>Bytes written; -1 when there is no room now; <see cref="NobodyReads"/>.</summary>
    internal static int Write(SafeFileHandle end, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* from = bytes)
        {
            while (true)
            {
                var count = write(end, from, bytes.Length);
                if (count >= 0)
                    return (int)count;
                switch (Marshal.GetLastPInvokeError())
                {
                    case Interrupted:
                        continue;
                    case Again:
                        return -1;
                    case Broken or InputOutput:
                        return NobodyReads;
                    default:
                        throw LinuxException.Last("write FIFO");
                }
            }
        }
    }

    /// <summary>Bytes read; 0 when every writer is gone (of a terminal: every program on it); -1 when there is nothing now.</summary>
    internal static int Read(SafeFileHandle fifo, Span<byte> buffer)
    {
        fixed (byte* into = buffer)
        {
            while (true)
            {
                var count = read(fifo, into, buffer.Length);
                if (count >= 0)
                    return (int)count;
                switch (Marshal.GetLastPInvokeError())
                {
                    case Interrupted:
                        continue;
                    case Again:
                        return -1;
                    case InputOutput:
                        return 0;
                    default:
                        throw LinuxException.Last("read FIFO");
                }
            }
        }
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle fd, int command, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(SafeFileHandle fd, byte* from, nint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchown(SafeFileHandle fd, uint uid, uint gid);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(SafeFileHandle fd, byte* into, nint count);
}
