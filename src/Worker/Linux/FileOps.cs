using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>
/// File-system calls that .NET does not have: everything relative to a directory descriptor, nothing following a link in the last component.
/// </summary>
internal static partial class FileOps
{
    private const int O_WRONLY = 1, O_CREAT = 0x40, O_EXCL = 0x80;
    private const int O_CLOEXEC = 0x80000, O_PATH = 0x200000;
    private const int AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200, AT_EMPTY_PATH = 0x1000;
    private const uint STATX_BASIC_STATS = 0x7ff;

    // The two values differ on arm64, which orders the O_* bits otherwise.
    private static int O_DIRECTORY { get; } = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;
    private static int O_NOFOLLOW { get; } = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    private const long SYS_openat2 = 437; // the same on every architecture
    private const ulong RESOLVE_NO_XDEV = 0x01, RESOLVE_NO_MAGICLINKS = 0x02, RESOLVE_IN_ROOT = 0x10;

    /// <summary>A descriptor of a directory to work below.</summary>
    internal static SafeFileHandle OpenDirectory(string path)
    {
        var fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
        return Opened(fd, "open", path);
    }

    /// <summary>
    /// A descriptor of a directory found as a process whose root is <paramref name="root"/> would find it: absolute links and <c>..</c> stay inside.
    /// Null when a component is missing.
    /// </summary>
    internal static unsafe SafeFileHandle? FindDirectoryInRoot(SafeFileHandle root, string path)
    {
        var how = new OpenHow
        {
            Flags = (ulong)(uint)(O_PATH | O_DIRECTORY | O_CLOEXEC),
            Resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
        };
        var name = Encoding.UTF8.GetBytes((path.Length == 0 ? "." : path) + "\0");
        fixed (byte* p = name)
        {
            var fd = syscall(SYS_openat2, Fd(root), p, &how, sizeof(OpenHow));
            if (fd >= 0)
                return new((nint)fd, ownsHandle: true);
        }
        var errno = Marshal.GetLastPInvokeError();
        return errno == FileErrno.ENOENT ? null : throw new LinuxException($"open directory {path}", errno);
    }

    /// <summary>A new regular file; it must not exist.</summary>
    internal static SafeFileHandle CreateFile(SafeFileHandle parent, string name, uint mode) =>
        Opened(openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode), "create", name);

    internal static void MakeDirectory(SafeFileHandle parent, string name, uint mode) =>
        Check(mkdirat(parent, name, mode), "mkdir", name);

    internal static void MakeSymlink(string target, SafeFileHandle parent, string name) =>
        Check(symlinkat(target, parent, name), "symlink", name);

    internal static void MakeHardLink(SafeFileHandle fromParent, string from, SafeFileHandle toParent, string to) =>
        Check(linkat(fromParent, from, toParent, to, 0), "link", to);

    /// <summary>A device, fifo or socket; <paramref name="mode"/> holds the type bits.</summary>
    internal static void MakeNode(SafeFileHandle parent, string name, uint mode, uint major, uint minor) =>
        Check(mknodat(parent, name, mode, MakeDevice(major, minor)), "mknod", name);

    internal static void RemoveFile(SafeFileHandle parent, string name) => Check(unlinkat(parent, name, 0), "unlink", name);

    internal static void RemoveDirectory(SafeFileHandle parent, string name) => Check(unlinkat(parent, name, AT_REMOVEDIR), "rmdir", name);

    internal static void ChangeOwner(SafeFileHandle parent, string name, uint uid, uint gid) =>
        Check(fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW), "chown", name);

    /// <summary>Sets permission bits; must not be called for a symbolic link, which it would follow.</summary>
    internal static void ChangeMode(SafeFileHandle parent, string name, uint mode) =>
        Check(fchmodat(parent, name, mode & 0xfff, 0), "chmod", name);

    /// <summary>Sets access and modification time, of a link itself too.</summary>
    internal static unsafe void ChangeTime(SafeFileHandle parent, string name, long seconds, long nanoseconds)
    {
        var times = stackalloc long[4] { seconds, nanoseconds, seconds, nanoseconds };
        Check(utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW), "utimensat", name);
    }

    /// <summary>What is there, links not followed; null when nothing is.</summary>
    internal static FileStatus? Status(SafeFileHandle parent, string name)
    {
        if (statx(Fd(parent), name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, out var x) == 0)
            return FileStatus.From(in x);
        var errno = Marshal.GetLastPInvokeError();
        return errno is FileErrno.ENOENT or FileErrno.ENOTDIR ? null : throw new LinuxException($"statx {name}", errno);
    }

    /// <summary>What an open file is.</summary>
    internal static FileStatus Status(SafeFileHandle file) =>
        statx(Fd(file), "", AT_EMPTY_PATH, STATX_BASIC_STATS, out var x) == 0 ? FileStatus.From(in x) : throw LinuxException.Last("statx an open file");

    /// <summary>What is there, links not followed; null when nothing is.</summary>
    internal static FileStatus? Status(string path)
    {
        if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, out var x) == 0)
            return FileStatus.From(in x);
        var errno = Marshal.GetLastPInvokeError();
        return errno is FileErrno.ENOENT or FileErrno.ENOTDIR ? null : throw new LinuxException($"statx {path}", errno);
    }

    /// <summary>Where a symbolic link points, unresolved.</summary>
    internal static unsafe string ReadLink(string path)
    {
        const int longest = 4096; // PATH_MAX
        var buffer = stackalloc byte[longest];
        var length = readlink(path, buffer, longest);
        return length < 0 ? throw LinuxException.Last($"readlink {path}") : Encoding.UTF8.GetString(buffer, (int)length);
    }

    /// <summary>Puts a file's bytes on the disk.</summary>
    internal static void Sync(SafeFileHandle file, string name) => Check(fsync(file), "fsync", name);

    /// <summary>Puts a directory's entries on the disk, so that a rename in it survives a power cut.</summary>
    internal static void SyncDirectory(string path)
    {
        using var fd = Opened(open(path, O_DIRECTORY | O_CLOEXEC, 0), "open", path);
        Check(fsync(fd), "fsync", path);
    }

    /// <summary>Puts everything of the file system that holds <paramref name="path"/> on the disk.</summary>
    internal static void SyncFileSystem(string path)
    {
        using var fd = Opened(open(path, O_DIRECTORY | O_CLOEXEC, 0), "open", path);
        Check(syncfs(fd), "syncfs", path);
    }

    // How glibc's makedev spreads the numbers over 64 bits.
    private static ulong MakeDevice(uint major, uint minor) =>
        ((ulong)(major & 0xfffff000) << 32) | ((ulong)(major & 0xfff) << 8) | ((ulong)(minor & 0xffffff00) << 12) | (minor & 0xff);

    private static int Fd(SafeFileHandle handle) => (int)handle.DangerousGetHandle();

    private static SafeFileHandle Opened(int fd, string operation, string subject) =>
        fd < 0 ? throw LinuxException.Last($"{operation} {subject}") : new(fd, ownsHandle: true);

    private static void Check(int result, string operation, string subject)
    {
        if (result == -1)
            throw LinuxException.Last($"{operation} {subject}");
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags, Mode, Resolve;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int openat(SafeFileHandle dir, string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial long syscall(long number, int dir, byte* path, OpenHow* how, nint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkdirat(SafeFileHandle dir, string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int symlinkat(string target, SafeFileHandle dir, string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int linkat(SafeFileHandle fromDir, string from, SafeFileHandle toDir, string to, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mknodat(SafeFileHandle dir, string path, uint mode, ulong device);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlinkat(SafeFileHandle dir, string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int fchownat(SafeFileHandle dir, string path, uint uid, uint gid, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int fchmodat(SafeFileHandle dir, string path, uint mode, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int utimensat(SafeFileHandle dir, string path, long* times, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int dir, string path, int flags, uint mask, out Statx status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint readlink(string path, byte* buffer, nint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(SafeFileHandle fd);
}
