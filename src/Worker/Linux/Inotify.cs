using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>Tells of changes of files, inotify(7).</summary>
internal sealed partial class Inotify : IDisposable
{
    private const int CloseOnExec = 0x80000;
    private const uint Modified = 0x2;
    private const uint MovedTo = 0x80;
    private const uint Created = 0x100;
    private const int HeaderLength = 16;

    private readonly SafeFileHandle descriptor;

    internal Inotify()
    {
        descriptor = inotify_init1(CloseOnExec);
        if (descriptor.IsInvalid)
            throw LinuxException.Last("inotify_init1");
    }

    /// <summary>Watches what is written to, created in and moved into a directory; the number names it in events. The same directory gets the same number.</summary>
    internal int WatchDirectory(string path)
    {
        var watch = inotify_add_watch(descriptor, path, Modified | MovedTo | Created);
        return watch >= 0 ? watch : throw LinuxException.Last($"inotify_add_watch {path}");
    }

    /// <summary>Becomes readable when something happened.</summary>
    internal SafeFileHandle Descriptor => descriptor;

    /// <summary>Watches what is written to a file, by the kernel too.</summary>
    internal int WatchFile(string path)
    {
        var watch = inotify_add_watch(descriptor, path, Modified);
        return watch >= 0 ? watch : throw LinuxException.Last($"inotify_add_watch {path}");
    }

    /// <summary>Ends a watch; the reader sees one last event of it. A watch whose directory is gone ended by itself.</summary>
    internal void Unwatch(int watch) => _ = inotify_rm_watch(descriptor, watch);

    /// <summary>Blocks the thread until something happened; gives the watches concerned. False when closed.</summary>
    internal bool Read(Span<byte> buffer, List<int> watches)
    {
        watches.Clear();
        nint length;
        do
            length = read(descriptor, buffer, (nuint)buffer.Length);
        while (length < 0 && Marshal.GetLastPInvokeError() == 4); // EINTR
        if (length < 0)
            throw LinuxException.Last("read inotify");
        for (var at = 0; at + HeaderLength <= length;)
        {
            watches.Add(BinaryPrimitives.ReadInt32LittleEndian(buffer[at..]));
            at += HeaderLength + BinaryPrimitives.ReadInt32LittleEndian(buffer[(at + 12)..]);
        }

        return length > 0;
    }

    public void Dispose() => descriptor.Dispose();

    [LibraryImport("libc", SetLastError = true)]
    private static partial SafeFileHandle inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int inotify_add_watch(SafeFileHandle fd, string path, uint mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_rm_watch(SafeFileHandle fd, int watch);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(SafeFileHandle fd, Span<byte> buffer, nuint count);
}
