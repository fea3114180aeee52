using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>Files on a disk that no directory names (O_TMPFILE): they end with their last descriptor, whatever happens.</summary>
internal static partial class UnnamedFile
{
    private const int TemporaryFile = 0x410000;
    private const uint OwnerOnly = 0x180;
    private const int NotSupported = 95;
    private const int IsDirectory = 21;

    internal static SafeFileHandle Create(string directory)
    {
        var fd = open(directory, TemporaryFile | KernelFile.ReadWrite | KernelFile.CloseOnExec, OwnerOnly);
        if (fd >= 0)
            return new SafeFileHandle(fd, ownsHandle: true);
        var errno = Marshal.GetLastPInvokeError();
        if (errno is not (NotSupported or IsDirectory))
            throw new LinuxException($"make a file in {directory}", errno);
        // A file system that knows no such files.
        var path = Path.Combine(directory, $".{Guid.NewGuid():n}");
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
        File.Delete(path);
        return file;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);
}
