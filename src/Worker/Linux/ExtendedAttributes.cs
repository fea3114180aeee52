using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>Extended attributes of a file or of a link itself, xattr(7).</summary>
internal static partial class ExtendedAttributes
{
    /// <summary>Sets one on an entry of an open directory.</summary>
    internal static void Set(SafeFileHandle parent, string name, string attribute, ReadOnlySpan<byte> value) =>
        Set(PathOf(parent, name), attribute, value);

    /// <summary>As the other; without it where the file system keeps none of this kind (user.* on a link, ACLs on tmpfs), as tar and Docker unpack.</summary>
    internal static void SetIfKept(SafeFileHandle parent, string name, string attribute, ReadOnlySpan<byte> value)
    {
        try
        {
            Set(parent, name, attribute, value);
        }
        catch (LinuxException e) when (e.Errno == FileErrno.EOPNOTSUPP)
        {
            // nothing was set
        }
    }

    /// <summary>Sets one.</summary>
    internal static void Set(string path, string attribute, ReadOnlySpan<byte> value)
    {
        if (lsetxattr(path, attribute, value, value.Length, 0) == -1)
            throw LinuxException.Last($"setxattr {attribute} on {path}");
    }

    /// <summary>The value, or null when the file has none of that name or the file system keeps none.</summary>
    internal static byte[]? Get(string path, string attribute)
    {
        Span<byte> buffer = stackalloc byte[256];
        var size = lgetxattr(path, attribute, buffer, buffer.Length);
        if (size >= 0)
            return buffer[..(int)size].ToArray();
        var errno = Marshal.GetLastPInvokeError();
        if (errno is FileErrno.ENODATA or FileErrno.EOPNOTSUPP)
            return null;
        if (errno != FileErrno.ERANGE)
            throw new LinuxException($"getxattr {attribute} of {path}", errno);
        var large = new byte[65536]; // XATTR_SIZE_MAX
        size = lgetxattr(path, attribute, large, large.Length);
        return size < 0 ? throw LinuxException.Last($"getxattr {attribute} of {path}") : large[..(int)size];
    }

    /// <summary>The names of all, in ordinal order.</summary>
    internal static string[] List(string path)
    {
        Span<byte> buffer = stackalloc byte[1024];
        var size = llistxattr(path, buffer, buffer.Length);
        if (size == 0)
            return [];
        if (size < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno == FileErrno.EOPNOTSUPP)
                return [];
            if (errno != FileErrno.ERANGE)
                throw new LinuxException($"listxattr of {path}", errno);
            buffer = new byte[65536]; // XATTR_LIST_MAX
            size = llistxattr(path, buffer, buffer.Length);
            if (size < 0)
                throw LinuxException.Last($"listxattr of {path}");
        }
        var names = Encoding.UTF8.GetString(buffer[..(int)size]).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    // There is no setxattrat before 6.13; the kernel's link of the descriptor leads to the very directory, and the last component is not followed.
    private static string PathOf(SafeFileHandle parent, string name) => $"/proc/self/fd/{parent.DangerousGetHandle()}/{name}";

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lsetxattr(string path, string name, ReadOnlySpan<byte> value, nint size, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint lgetxattr(string path, string name, Span<byte> value, nint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint llistxattr(string path, Span<byte> list, nint size);
}
