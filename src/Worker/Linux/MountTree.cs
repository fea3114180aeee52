using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>
/// Mounts that hang nowhere yet, held by descriptor (the mount API of Linux 5.2): made with the host's paths, attached
/// later inside a container's root, where no symbolic link of an image can lead them astray.
/// </summary>
internal static unsafe partial class MountTree
{
    internal const ulong AttrReadOnly = 1;
    private const ulong AttrIdMap = 0x100000;

    private const nint OpenTreeNumber = 428;
    private const nint MoveMountNumber = 429;
    private const nint FromItself = 4;
    private const nint FsOpenNumber = 430;
    private const nint FsConfigNumber = 431;
    private const nint FsMountNumber = 432;
    private const nint MountSetAttrNumber = 442;
    private const int AtCwd = -100;
    private const uint AtEmptyPath = 0x1000;
    private const uint AtRecursive = 0x8000;
    private const uint CloneTree = 1;
    private const uint CloseOnExecTree = 0x80000;
    private const nint SetFlag = 0;
    private const nint SetString = 1;
    private const nint Create = 6;
    private const nint FsCloseOnExec = 1;

    /// <summary>A copy of what is mounted at a host path (open_tree(2)).</summary>
    internal static SafeFileHandle Copy(string source, bool recursive)
    {
        var flags = CloneTree | CloseOnExecTree | (recursive ? AtRecursive : 0);
        fixed (byte* path = Utf8(source))
        {
            var fd = syscall(OpenTreeNumber, AtCwd, (nint)path, (nint)flags, 0, 0);
            return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw LinuxException.Last($"open_tree {source}");
        }
    }

    /// <summary>Sets MOUNT_ATTR_* flags on a detached mount (mount_setattr(2), Linux 5.12).</summary>
    internal static void SetAttributes(SafeFileHandle tree, ulong set, ulong clear, bool recursive, string subject)
    {
        var attributes = stackalloc ulong[4] { set, clear, 0, 0 };
        fixed (byte* empty = Utf8(""))
        {
            var flags = AtEmptyPath | (recursive ? AtRecursive : 0);
            if (syscall(MountSetAttrNumber, (int)tree.DangerousGetHandle(), (nint)empty, (nint)flags, (nint)attributes, 32) == -1)
                throw LinuxException.Last($"mount_setattr {subject}");
        }
        GC.KeepAlive(tree);
    }

    /// <summary>
    /// Shows the mount's owners through a user namespace's mapping (MOUNT_ATTR_IDMAP): what belongs to id N there belongs to the
    /// namespace's own N here. EINVAL where the file system cannot.
    /// </summary>
    internal static void MapOwners(SafeFileHandle tree, SafeFileHandle userNamespace, bool recursive, string subject)
    {
        var attributes = stackalloc ulong[4] { AttrIdMap, 0, 0, (ulong)userNamespace.DangerousGetHandle() };
        fixed (byte* empty = Utf8(""))
        {
            var flags = AtEmptyPath | (recursive ? AtRecursive : 0);
            if (syscall(MountSetAttrNumber, (int)tree.DangerousGetHandle(), (nint)empty, (nint)flags, (nint)attributes, 32) == -1)
                throw LinuxException.Last($"map the owners of {subject}");
        }
        GC.KeepAlive(tree);
        GC.KeepAlive(userNamespace);
    }

    /// <summary>A new file system from key and value pairs (without a value: a flag), mounted nowhere (fsopen(2), fsconfig(2), fsmount(2)).</summary>
    internal static SafeFileHandle New(string type, IEnumerable<KeyValuePair<string, string>> options)
    {
        using var context = OpenContext(type);
        var fd = (int)context.DangerousGetHandle();
        foreach (var (key, value) in options)
        {
            fixed (byte* name = Utf8(key), text = Utf8(value))
            {
                var (command, argument) = value.Length == 0 ? (SetFlag, 0) : (SetString, (nint)text);
                if (syscall(FsConfigNumber, fd, command, (nint)name, argument, 0) == -1)
                    throw LinuxException.Last($"fsconfig {type} {key}={value}");
            }
        }
        if (syscall(FsConfigNumber, fd, Create, 0, 0, 0) == -1)
            throw LinuxException.Last($"fsconfig {type} create");
        var mount = syscall(FsMountNumber, fd, 1, 0, 0, 0);
        return mount >= 0 ? new SafeFileHandle(mount, ownsHandle: true) : throw LinuxException.Last($"fsmount {type}");
    }

    /// <summary>Mounts it on a directory of this process's (move_mount(2)).</summary>
    internal static void Attach(SafeFileHandle tree, string target)
    {
        fixed (byte* empty = Utf8(""), path = Utf8(target))
        {
            if (syscall(MoveMountNumber, (int)tree.DangerousGetHandle(), (nint)empty, AtCwd, (nint)path, FromItself) == -1)
                throw LinuxException.Last($"mount on {target}");
        }
        GC.KeepAlive(tree);
    }

    private static SafeFileHandle OpenContext(string type)
    {
        fixed (byte* name = Utf8(type))
        {
            var fd = syscall(FsOpenNumber, (nint)name, FsCloseOnExec, 0, 0, 0);
            return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw LinuxException.Last($"fsopen {type}");
        }
    }

    private static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text + '\0');

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d, nint e);
}
