using System.Runtime.InteropServices;

using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>Network namespaces as files, network_namespaces(7). What changes the calling thread's namespace belongs on a <see cref="NamespaceThread"/>.</summary>
internal static partial class Namespaces
{
    private const int CloneNewNet = 0x40000000;
    private const ulong MsBind = 4096;
    private const int MntDetach = 2;
    private const int OReadOnly = 0;
    private const int OCloexec = 0x80000;
    private const int Einval = 22;
    private const int Enoent = 2;
    private const string MountInfoPath = "/proc/self/mountinfo";

    /// <summary>Moves the calling thread into a new, empty network namespace and returns its handle.</summary>
    internal static SafeFileHandle UnshareNetwork()
    {
        if (unshare(CloneNewNet) == -1)
            throw LinuxException.Last("unshare network namespace");
        return OpenCurrent();
    }

    /// <summary>The calling thread's network namespace.</summary>
    internal static SafeFileHandle OpenCurrent() => Open("/proc/thread-self/ns/net");

    internal static SafeFileHandle Open(string path)
    {
        var handle = open(path, OReadOnly | OCloexec);
        if (handle.IsInvalid)
            throw LinuxException.Last($"open namespace {path}");
        return handle;
    }

    /// <summary>Moves the calling thread into the namespace.</summary>
    internal static void EnterNetwork(SafeFileHandle ns)
    {
        if (setns(ns, CloneNewNet) == -1)
            throw LinuxException.Last("setns network namespace");
    }

    /// <summary>Gives the namespace a name in the file system that keeps it alive.</summary>
    internal static void Pin(SafeFileHandle ns, string path)
    {
        using (new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
        {
        }

        if (mount($"/proc/self/fd/{ns.DangerousGetHandle()}", path, null, MsBind, 0) == -1)
        {
            var error = LinuxException.Last($"bind namespace to {path}");
            File.Delete(path);
            throw error;
        }
    }

    /// <summary>Takes the name away; the namespace ends when its last process and handle have. A name that is not there is no error.</summary>
    internal static void Unpin(string path)
    {
        // A name can be mounted upon more than once by a daemon that crashed between two steps.
        while (umount2(path, MntDetach) == 0)
        {
        }

        var errno = Marshal.GetLastPInvokeError();
        if (errno is not (Einval or Enoent))
            throw new LinuxException($"unmount namespace {path}", errno);
        File.Delete(path);
    }

    /// <summary>The files below the directory that are namespaces now.</summary>
    internal static IReadOnlyList<string> PinnedBelow(string directory)
        => [.. File.ReadLines(MountInfoPath).Select(line => ParseNamespaceMount(line)).OfType<string>()
            .Where(path => path.StartsWith(directory + "/", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal)];

    /// <summary>Field 5 of a mountinfo line, proc_pid_mountinfo(5), when the mount is a namespace.</summary>
    internal static string? ParseNamespaceMount(string line)
    {
        var separator = line.IndexOf(" - ", StringComparison.Ordinal);
        if (separator < 0 || !line.AsSpan(separator + 3).StartsWith("nsfs "))
            return null;
        var fields = line.Split(' ', 6);
        return fields.Length < 6 ? null : fields[4].Replace("\\040", " ", StringComparison.Ordinal);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle fd, int kind);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string source, string target, string? type, ulong flags, nint data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int umount2(string target, int flags);
}
