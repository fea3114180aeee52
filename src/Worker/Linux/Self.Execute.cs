using System.Runtime.InteropServices;
using System.Text;

namespace Orchestrator.Worker.Linux;

internal static unsafe partial class Self
{
    private const int GetFlags = 1;
    private const int SetFlags = 2;
    private const nuint CloseOnExecFlag = 1;

    /// <summary>
    /// Becomes another program in the same process: children, cgroups and namespaces stay, other threads and close-on-exec descriptors go. Returns
    /// only by failing, and then nothing has changed.
    /// </summary>
    internal static LinuxException Execute(IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        var argv = Texts(arguments);
        var envp = Texts(environment);
        try
        {
            _ = execve(argv[0], argv, envp);
            return LinuxException.Last($"execute {arguments[0]}");
        }
        finally
        {
            Free(argv, arguments.Count);
            Free(envp, environment.Count);
        }
    }

    /// <summary>Lets a descriptor stay open over <see cref="Execute"/>, or not.</summary>
    internal static void KeepOverExecute(int fd, bool keep)
    {
        var flags = fcntl(fd, GetFlags, 0);
        if (flags == -1 || fcntl(fd, SetFlags, keep ? (nuint)flags & ~CloseOnExecFlag : (nuint)flags | CloseOnExecFlag) == -1)
            throw LinuxException.Last($"keep descriptor {fd}");
    }

    private static byte** Texts(IReadOnlyList<string> texts)
    {
        var into = (byte**)NativeMemory.AllocZeroed((nuint)(texts.Count + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < texts.Count; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(texts[i] + "\0");
            into[i] = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
            bytes.CopyTo(new Span<byte>(into[i], bytes.Length));
        }
        return into;
    }

    private static void Free(byte** texts, int count)
    {
        for (var i = 0; i < count; i++)
            NativeMemory.Free(texts[i]);
        NativeMemory.Free(texts);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int execve(byte* path, byte** argv, byte** envp);
}
