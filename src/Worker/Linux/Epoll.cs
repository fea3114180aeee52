using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>epoll(7): many descriptors, one waiting thread. <see cref="Wake"/> is the only member for other threads, with Add.</summary>
internal sealed unsafe partial class Epoll : IDisposable
{
    private const int ControlAdd = 1;
    private const int ControlDelete = 2;
    private const uint In = 1;
    private const uint Out = 4;
    private const int Interrupted = 4;
    private const int EventFdFlags = 0x80800; // close-on-exec, non-blocking
    private const ulong WakeToken = ulong.MaxValue;

    private readonly SafeFileHandle epoll;
    private readonly SafeFileHandle wake;

    internal Epoll()
    {
        var fd = epoll_create1(KernelFile.CloseOnExec);
        if (fd < 0)
            throw LinuxException.Last("epoll_create1");
        epoll = new SafeFileHandle(fd, ownsHandle: true);
        var waker = eventfd(0, EventFdFlags);
        if (waker < 0)
            throw LinuxException.Last("eventfd");
        wake = new SafeFileHandle(waker, ownsHandle: true);
        Add(wake, WakeToken);
    }

    /// <summary>A descriptor is added once: who waits for both directions uses a duplicate.</summary>
    internal void Add(SafeFileHandle fd, ulong token, bool writing = false)
    {
        var item = new Event { Events = writing ? Out : In, Token = token };
        if (epoll_ctl(epoll, ControlAdd, fd, &item) == -1)
            throw LinuxException.Last("epoll_ctl add");
    }

    internal void Remove(SafeFileHandle fd)
    {
        var item = default(Event);
        if (epoll_ctl(epoll, ControlDelete, fd, &item) == -1)
            throw LinuxException.Last("epoll_ctl remove");
    }

    internal void Wake()
    {
        var one = 1UL;
        _ = write(wake, &one, sizeof(ulong)); // a full counter wakes as well
    }

    /// <summary>Waits and fills in the tokens that can be read from (or written to, as they were added) or were hung up; a wake alone gives 0.</summary>
    internal int Wait(Span<ulong> tokens)
    {
        var room = Math.Min(tokens.Length, 64);
        var events = stackalloc Event[64];
        int count;
        while ((count = epoll_wait(epoll, events, room, -1)) == -1)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
                throw LinuxException.Last("epoll_wait");
        }
        var found = 0;
        for (var i = 0; i < count; i++)
        {
            if (events[i].Token != WakeToken)
            {
                tokens[found++] = events[i].Token;
                continue;
            }
            ulong seen;
            _ = read(wake, &seen, sizeof(ulong));
        }
        return found;
    }

    public void Dispose()
    {
        epoll.Dispose();
        wake.Dispose();
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)] // packed on x86-64 alone
    private struct Event
    {
        internal uint Events;
        internal ulong Token;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(SafeFileHandle epoll, int operation, SafeFileHandle fd, Event* item);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(SafeFileHandle epoll, Event* events, int room, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(SafeFileHandle fd, void* into, nint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(SafeFileHandle fd, void* from, nint count);
}
