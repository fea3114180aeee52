using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>
/// Open files sent over a unix stream socket beside its bytes (SCM_RIGHTS, unix(7)). Chosen over pidfd_getfd(2): it needs no capability over the
/// other process, and a file on its way is held by the kernel, whichever end dies.
/// </summary>
internal static unsafe partial class DescriptorSocket
{
    /// <summary>How many go with one message.</summary>
    internal const int MostFiles = 15;

    private const int SocketLevel = 1;
    private const int Rights = 1;
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int CloseOnExec = 0x40000000;
    private const int ControlTruncated = 8;
    private const int ControlHeader = 16;
    private const int Again = 11;
    private const int Interrupted = 4;

    /// <summary>Sends the first of the bytes, and with them the files, if any. How many bytes went; -1 when nothing can be taken now.</summary>
    internal static int Send(SafeHandle socket, ReadOnlySpan<byte> bytes, ReadOnlySpan<SafeFileHandle> files)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(files.Length, MostFiles);
        var control = stackalloc byte[ControlHeader + (MostFiles * sizeof(int)) + sizeof(int)];
        *(nint*)control = ControlHeader + (files.Length * sizeof(int));
        ((int*)control)[2] = SocketLevel;
        ((int*)control)[3] = Rights;
        for (var i = 0; i < files.Length; i++)
            ((int*)(control + ControlHeader))[i] = (int)files[i].DangerousGetHandle();
        fixed (byte* data = bytes)
        {
            var part = new Part { Base = data, Length = bytes.Length };
            var message = new Message { Parts = &part, PartCount = 1, Control = files.IsEmpty ? null : control, ControlLength = files.IsEmpty ? 0 : Align(ControlHeader + (files.Length * sizeof(int))) };
            while (true)
            {
                var sent = sendmsg(socket, &message, DontWait | NoSignal);
                foreach (var file in files)
                    GC.KeepAlive(file);
                if (sent >= 0)
                    return (int)sent;
                var errno = Marshal.GetLastPInvokeError();
                if (errno == Again)
                    return -1;
                if (errno != Interrupted)
                    throw new LinuxException("sendmsg", errno);
            }
        }
    }

    /// <summary>Receives bytes and adds the files that came with them. 0: the other end has closed; -1: there is nothing now.</summary>
    internal static int Receive(SafeHandle socket, Span<byte> buffer, Queue<SafeFileHandle> files)
    {
        var control = stackalloc byte[ControlHeader + (MostFiles * sizeof(int)) + sizeof(int)];
        fixed (byte* data = buffer)
        {
            var part = new Part { Base = data, Length = buffer.Length };
            while (true)
            {
                var message = new Message { Parts = &part, PartCount = 1, Control = control, ControlLength = Align(ControlHeader + (MostFiles * sizeof(int))) };
                var count = recvmsg(socket, &message, DontWait | CloseOnExec);
                if (count < 0)
                {
                    var errno = Marshal.GetLastPInvokeError();
                    if (errno == Again)
                        return -1;
                    if (errno == Interrupted)
                        continue;
                    throw new LinuxException("recvmsg", errno);
                }
                Take(control, message.ControlLength, files);
                return (message.Flags & ControlTruncated) == 0 ? (int)count
                    : throw new IOException("recvmsg: files that were sent could not be taken: too many are open");
            }
        }
    }

    private static void Take(byte* control, nint length, Queue<SafeFileHandle> files)
    {
        if (length < ControlHeader || ((int*)control)[2] != SocketLevel || ((int*)control)[3] != Rights)
            return;
        var count = (int)(*(nint*)control - ControlHeader) / sizeof(int);
        for (var i = 0; i < count; i++)
            files.Enqueue(new SafeFileHandle(((int*)(control + ControlHeader))[i], ownsHandle: true));
    }

    private static nint Align(int length) => (length + 7) & ~7;

    [StructLayout(LayoutKind.Sequential)]
    private struct Part
    {
        internal byte* Base;
        internal nint Length;
    }

    /// <summary>struct msghdr on 64-bit.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        internal void* Name;
        internal nint NameLength;
        internal Part* Parts;
        internal nint PartCount;
        internal byte* Control;
        internal nint ControlLength;
        internal int Flags;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(SafeHandle socket, Message* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(SafeHandle socket, Message* message, int flags);
}
