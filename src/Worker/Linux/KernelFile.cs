using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>Files that are doors into the kernel (cgroup, proc): one write is one command, judged by its errno.</summary>
internal static unsafe partial class KernelFile
{
    internal const int ReadOnly = 0;
    internal const int WriteOnly = 1;
    internal const int ReadWrite = 2;
    internal const int NonBlocking = 0x800;
    internal const int Directory = 0x10000;
    internal const int CloseOnExec = 0x80000;
    internal const int PathOnly = 0x200000;

    private const int NoEntry = 2;
    private const int NoProcess = 3;
    private const int Interrupted = 4;
    private const int Exists = 17;
    private const int NoDevice = 19;

    /// <summary>open(2), close-on-exec whatever the flags say.</summary>
    internal static SafeFileHandle Open(string path, int flags)
    {
        var fd = open(path, flags | CloseOnExec, 0);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw LinuxException.Last($"open {path}");
    }

    /// <summary>A pipe: what is written into the second is read from the first.</summary>
    internal static (SafeFileHandle Reader, SafeFileHandle Writer) Pipe()
    {
        var ends = stackalloc int[2];
        return pipe2(ends, CloseOnExec) == 0
            ? (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true))
            : throw LinuxException.Last("pipe");
    }

    internal static void Write(string path, string value)
    {
        var fd = open(path, WriteOnly | CloseOnExec, 0);
        if (fd < 0)
            throw LinuxException.Last($"open {path}");
        var bytes = Encoding.UTF8.GetBytes(value);
        nint written;
        fixed (byte* data = bytes)
            written = write(fd, data, bytes.Length);
        var failure = written < 0 ? LinuxException.Last($"write '{value}' to {path}") : null;
        _ = close(fd);
        if (failure is not null)
            throw failure;
    }

    /// <summary>The file's text, or null when it is not there (any more).</summary>
    internal static string? ReadOrNull(string path)
    {
        var fd = open(path, ReadOnly | CloseOnExec, 0);
        if (fd < 0)
            return Marshal.GetLastPInvokeError() == NoEntry ? null : throw LinuxException.Last($"open {path}");
        try
        {
            using var all = new MemoryStream();
            Span<byte> buffer = stackalloc byte[4096];
            while (Read(fd, buffer, path) is > 0 and var count)
                all.Write(buffer[..count]);
            return Encoding.UTF8.GetString(all.GetBuffer(), 0, (int)all.Length);
        }
        catch (LinuxException gone) when (gone.Errno is NoDevice or NoProcess)
        {
            return null; // a group or process that went away after it was opened
        }
        finally
        {
            _ = close(fd);
        }
    }

    /// <summary>Makes one directory; an existing one is fine. True when it was made.</summary>
    internal static bool MakeDirectory(string path, uint mode = 0x1ed)
    {
        if (mkdir(path, mode) == 0)
            return true;
        return Marshal.GetLastPInvokeError() == Exists ? false : throw LinuxException.Last($"mkdir {path}");
    }

    /// <summary>Removes one empty directory (or cgroup). False with the errno when the kernel refused; a missing one is removed.</summary>
    internal static bool TryRemoveDirectory(string path, out int errno)
    {
        errno = rmdir(path) == 0 ? 0 : Marshal.GetLastPInvokeError();
        if (errno == NoEntry)
            errno = 0;
        return errno == 0;
    }

    private static int Read(int fd, Span<byte> buffer, string path)
    {
        fixed (byte* into = buffer)
        {
            while (true)
            {
                var count = read(fd, into, buffer.Length);
                if (count >= 0)
                    return (int)count;
                if (Marshal.GetLastPInvokeError() != Interrupted)
                    throw LinuxException.Last($"read {path}");
            }
        }
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, byte* into, nint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte* from, nint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkdir(string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rmdir(string path);
}
