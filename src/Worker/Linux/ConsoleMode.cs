using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Linux;

/// <summary>The terminal that a command line was started from: termios(3) and its size.</summary>
internal static unsafe partial class ConsoleMode
{
    // glibc's struct termios has 60 bytes, musl's 60 too; room for more.
    private const int TermiosSize = 128;
    private const int Now = 0;
    private const nuint GetWindowSize = 0x5413;
    private const int SetWords = 16; // glibc's sigset_t: 1024 bits
    private const int TerminalOutput = 22;
    private const int Block = 0;
    private const int SetMask = 2;

    internal static bool IsTerminal(int descriptor) => isatty(descriptor) == 1;

    /// <summary>Rows and columns, or null where there is no terminal.</summary>
    internal static (int Rows, int Columns)? Size(int descriptor)
    {
        var size = stackalloc ushort[4];
        return ioctl(descriptor, GetWindowSize, size) == 0 ? (size[0], size[1]) : null;
    }

    /// <summary>Every key goes to the reader as it is pressed, ctrl-c too. The answer, given to <see cref="Restore"/>, undoes it.</summary>
    internal static byte[] EnterRaw(int descriptor)
    {
        var before = new byte[TermiosSize];
        var raw = new byte[TermiosSize];
        fixed (byte* old = before, next = raw)
        {
            if (tcgetattr(descriptor, old) != 0)
                throw LinuxException.Last("tcgetattr");
            before.CopyTo(raw, 0);
            cfmakeraw(next);
            if (tcsetattr(descriptor, Now, next) != 0)
                throw LinuxException.Last("tcsetattr");
        }

        return before;
    }

    internal static void Restore(int descriptor, byte[] before)
    {
        fixed (byte* old = before)
        {
            if (tcsetattr(descriptor, Now, old) != 0)
                throw LinuxException.Last("tcsetattr");
        }
    }

    /// <summary>Gives the terminal's keys to another process group of this session, also when ours does not have them.</summary>
    internal static void GiveForeground(int descriptor, int group)
    {
        // SIGTTOU would stop whoever does this from the background.
        var set = stackalloc ulong[SetWords];
        var before = stackalloc ulong[SetWords];
        new Span<ulong>(set, SetWords).Clear();
        set[0] = 1UL << (TerminalOutput - 1);
        if (pthread_sigmask(Block, set, before) != 0)
            throw new LinuxException("pthread_sigmask", FileErrno.EINVAL);
        var failure = tcsetpgrp(descriptor, group) == -1 ? LinuxException.Last($"give the terminal to process group {group}") : null;
        _ = pthread_sigmask(SetMask, before, null);
        if (failure is not null)
            throw failure;
    }

    /// <summary>Our own process group.</summary>
    internal static int OwnGroup => getpgrp();

    [LibraryImport("libc")]
    private static partial int isatty(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetpgrp(int fd, int group);

    [LibraryImport("libc")]
    private static partial int getpgrp();

    [LibraryImport("libc")]
    private static partial int pthread_sigmask(int how, ulong* set, ulong* old);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, ushort* size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(int fd, byte* termios);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(int fd, int actions, byte* termios);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(byte* termios);
}
