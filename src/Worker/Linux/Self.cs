using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>What this process may do and how it stands to the others.</summary>
internal static unsafe partial class Self
{
    private const int SetDumpable = 4;
    private const int CapBoundingRead = 23;
    private const int SetChildSubreaper = 36;
    private const uint CapabilityVersion3 = 0x20080522;
    private const uint SealsAll = 0xf; // seal, shrink, grow, write
    private const int AddSeals = 1033;
    private const uint MemFdAllowSealing = 2;
    private const uint MemFdCloseOnExec = 1;

    /// <summary>
    /// Hides our memory and descriptors from everyone but the host's root: a child that shares our memory for a moment
    /// is visible inside its container.
    /// </summary>
    internal static void Hide()
    {
        if (prctl(SetDumpable, 0, 0, 0, 0) == -1)
            throw LinuxException.Last("prctl PR_SET_DUMPABLE");
    }

    /// <summary>Orphans of our children become ours.</summary>
    internal static void AdoptOrphans()
    {
        if (prctl(SetChildSubreaper, 1, 0, 0, 0) == -1)
            throw LinuxException.Last("prctl PR_SET_CHILD_SUBREAPER");
    }

    /// <summary>Ends this process at once: nothing is flushed, nobody is asked, and the framework's own farewell, milliseconds long, is left out.</summary>
    internal static void End(int code) => _exit(code);

    /// <summary>Leaves the terminal and session of whoever started us; already leading one is fine.</summary>
    internal static void LeaveSession() => _ = setsid();

    /// <summary>The bounding set as a bit mask by capability number.</summary>
    internal static ulong BoundingCapabilities()
    {
        ulong set = 0;
        for (var number = 0; number < 64; number++)
        {
            var has = prctl(CapBoundingRead, (nuint)number, 0, 0, 0);
            if (has < 0)
                break; // beyond the last one this kernel knows
            set |= (ulong)has << number;
        }
        return set;
    }

    /// <summary>The permitted set as a bit mask.</summary>
    internal static ulong PermittedCapabilities()
    {
        var header = stackalloc uint[2] { CapabilityVersion3, 0 };
        var data = stackalloc uint[6];
        if (capget(header, data) == -1)
            throw LinuxException.Last("capget");
        return data[1] | ((ulong)data[4] << 32);
    }

    /// <summary>Hard limit of a resource (setrlimit(2) numbering).</summary>
    internal static ulong HardLimit(int resource)
    {
        var limit = stackalloc ulong[2];
        return getrlimit(resource, limit) == 0 ? limit[1] : throw LinuxException.Last($"getrlimit {resource}");
    }

    /// <summary>An executable file that lives in memory only and that nobody can change any more.</summary>
    internal static SafeFileHandle SealedFile(string name, ReadOnlySpan<byte> content)
    {
        var fd = memfd_create(name, MemFdCloseOnExec | MemFdAllowSealing);
        if (fd < 0)
            throw LinuxException.Last($"memfd_create {name}");
        var file = new SafeFileHandle(fd, ownsHandle: true);
        RandomAccess.Write(file, content, 0);
        if (fcntl(fd, AddSeals, SealsAll) == -1)
            throw LinuxException.Last($"seal {name}");
        return file;
    }

    /// <summary>Gives the C heap's free pages back to the kernel: of all arenas, also from below what is in use.</summary>
    internal static void TrimHeap() => _ = malloc_trim(0);

    [LibraryImport("libc")]
    private static partial void _exit(int code);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint pad);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsid();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int capget(uint* header, uint* data);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrlimit(int resource, ulong* limit);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, nuint argument);
}
