using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>Paths as a process with another root sees them, through whatever is mounted there.</summary>
internal static partial class FileOps
{
    private const int O_NONBLOCK = 0x800;

    /// <summary>
    /// What a process whose root is <paramref name="root"/> finds at a path, as a descriptor that only names it: absolute links and <c>..</c> stay
    /// inside, mounts are crossed, links of /proc are refused. Null when nothing is there.
    /// </summary>
    /// <param name="root">The directory that is the root.</param>
    /// <param name="path">With or without a leading slash; empty is the root itself.</param>
    /// <param name="last">What to do with a link at the end.</param>
    internal static SafeFileHandle? FindInRoot(SafeFileHandle root, string path, LastLink last)
    {
        var fd = OpenInRoot(root, path, O_PATH | O_CLOEXEC | (last == LastLink.Kept ? O_NOFOLLOW : 0));
        if (fd >= 0)
            return new(fd, ownsHandle: true);
        var errno = Marshal.GetLastPInvokeError();
        return errno is FileErrno.ENOENT or FileErrno.ENOTDIR ? null : throw new LinuxException($"open {path}", errno);
    }

    /// <summary>A directory below an open one, not through a link.</summary>
    internal static SafeFileHandle OpenDirectory(SafeFileHandle parent, string name) =>
        Opened(openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0), "open", name);

    /// <summary>A file's content, not through a link; a fifo does not keep the caller waiting.</summary>
    internal static SafeFileHandle OpenForReading(SafeFileHandle parent, string name) =>
        Opened(openat(parent, name, O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0), "open", name);

    /// <summary>The kernel's own name of a descriptor: paths through it lead to the very file, wherever it is mounted.</summary>
    internal static string PathOf(SafeFileHandle handle) => $"/proc/self/fd/{Fd(handle)}";

    /// <summary>Gives a file of any kind another name, in the same file system; a file of that name is replaced.</summary>
    internal static void Rename(string from, string to) => Check(rename(from, to), $"rename {from} to", to);

    private static unsafe int OpenInRoot(SafeFileHandle root, string path, int flags)
    {
        var how = new OpenHow { Flags = (ulong)(uint)flags, Resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
        var name = Encoding.UTF8.GetBytes((path.Length == 0 ? "." : path) + "\0");
        fixed (byte* p = name)
            return (int)syscall(SYS_openat2, Fd(root), p, &how, sizeof(OpenHow));
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);
}

/// <summary>A symbolic link at the end of a path.</summary>
internal enum LastLink
{
    Followed,
    Kept,
}
