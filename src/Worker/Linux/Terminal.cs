using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>Pseudo terminals, pty(7): the master is ours, the slave a container's.</summary>
internal static unsafe partial class Terminal
{
    private const nint OpenAt2 = 437;
    private const int NoControllingTerminal = 0x100;
    private const ulong ResolveInRoot = 0x10;
    private const ulong SetLock = 0x40045431;
    private const ulong GetPeer = 0x5441;
    private const ulong SetWindowSize = 0x5414;
    private const long DevptsMagic = 0x1cd1;

    /// <summary>Opens a master on a devpts that is mounted nowhere. It does not block.</summary>
    internal static SafeFileHandle OpenMaster(SafeFileHandle devpts) => Open(devpts, "ptmx", 0, "ptmx");

    /// <summary>Opens a master on the devpts of a process's mount namespace. No link in there leads out of it.</summary>
    internal static SafeFileHandle OpenMasterOf(int pid)
    {
        using var root = KernelFile.Open($"/proc/{pid}/root", KernelFile.PathOnly | KernelFile.Directory);
        var master = Open(root, "dev/pts/ptmx", ResolveInRoot, "/dev/pts/ptmx of the container");
        var status = stackalloc long[16];
        if (fstatfs(master, status) == 0 && status[0] == DevptsMagic)
            return master;
        master.Dispose();
        throw new LinuxException("open /dev/pts/ptmx of the container: it is not on a devpts", 25);
    }

    /// <summary>The other end.</summary>
    internal static SafeFileHandle OpenSlave(SafeFileHandle master)
    {
        var unlocked = 0;
        if (ioctl(master, SetLock, &unlocked) == -1)
            throw LinuxException.Last("unlock a terminal");
        var fd = ioctl(master, GetPeer, (void*)(KernelFile.ReadWrite | NoControllingTerminal | KernelFile.CloseOnExec));
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw LinuxException.Last("open a terminal's peer");
    }

    /// <summary>Sets the size in characters; programs on it get SIGWINCH.</summary>
    internal static void Resize(SafeFileHandle master, int rows, int columns)
    {
        var size = stackalloc ushort[4] { (ushort)Math.Clamp(rows, 0, ushort.MaxValue), (ushort)Math.Clamp(columns, 0, ushort.MaxValue), 0, 0 };
        if (ioctl(master, SetWindowSize, size) == -1)
            throw LinuxException.Last($"set a terminal's size to {rows} by {columns}");
    }

    private static SafeFileHandle Open(SafeFileHandle directory, string path, ulong resolve, string subject)
    {
        var how = stackalloc ulong[3] { KernelFile.ReadWrite | NoControllingTerminal | KernelFile.CloseOnExec | KernelFile.NonBlocking, 0, resolve };
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(path + '\0'))
        {
            var fd = syscall(OpenAt2, (int)directory.DangerousGetHandle(), (nint)name, (nint)how, 3 * sizeof(ulong));
            GC.KeepAlive(directory);
            return fd >= 0 ? new SafeFileHandle((nint)fd, ownsHandle: true) : throw LinuxException.Last($"open {subject}");
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle fd, ulong request, void* argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fstatfs(SafeFileHandle fd, void* status);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d);
}
