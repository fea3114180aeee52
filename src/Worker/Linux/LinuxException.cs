using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Linux;

/// <summary>A system call that failed: the operation with its subject, and the kernel's errno.</summary>
internal sealed class LinuxException(string operation, int errno)
    : IOException($"{operation}: {Describe(errno)} (errno {errno})")
{
    /// <summary>What was tried on what, for example <c>mount overlay on /var/lib/…</c>.</summary>
    public string Operation { get; } = operation;

    /// <summary>The positive errno value, as in errno(3).</summary>
    public int Errno { get; } = errno;

    /// <summary>Makes the exception from the errno that the last <c>SetLastError</c> import on this thread left.</summary>
    internal static LinuxException Last(string operation) => new(operation, Marshal.GetLastPInvokeError());

    private static string Describe(int errno) => new Win32Exception(errno).Message;
}
