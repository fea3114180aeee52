using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Linux;

/// <summary>The terminal that a command line was started from: termios(3) and its size.</summary>
internal static unsafe partial class ConsoleMode
{
    // glibc's struct termios has 60 bytes, musl's 60 too; room for more.
    private const int TermiosSize = 128;
    private const int Now = 0;
    private const nuint GetWindowSize = 0x5413;

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

    [LibraryImport("libc")]
    private static partial int isatty(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, ushort* size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(int fd, byte* termios);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(int fd, int actions, byte* termios);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(byte* termios);
}
