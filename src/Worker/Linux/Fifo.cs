using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>Named pipes: they outlive the process that reads them, which plain pipes do not.</summary>
internal static unsafe partial class Fifo
{
    private const int Again = 11;
    private const int Interrupted = 4;
    private const int Exists = 17;

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

    /// <summary>Bytes read; 0 when every writer is gone; -1 when there is nothing now.</summary>
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
                    default:
                        throw LinuxException.Last("read FIFO");
                }
            }
        }
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchown(SafeFileHandle fd, uint uid, uint gid);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(SafeFileHandle fd, byte* into, nint count);
}
