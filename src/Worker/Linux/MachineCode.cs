using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Linux;

/// <summary>A page of position-independent machine code <c>long f(void *)</c>, executable and never writable again.</summary>
internal sealed unsafe partial class MachineCode
{
    private const int ProtReadWrite = 3;
    private const int ProtReadExecute = 5;
    private const int MapPrivateAnonymous = 0x22;
    private const int SigSetMask = 2;
    private const int PageSize = 4096;

    private readonly delegate* unmanaged<void*, long> entry;

    internal MachineCode(ReadOnlySpan<byte> code)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(code.Length, PageSize);
        var page = mmap(0, PageSize, ProtReadWrite, MapPrivateAnonymous, -1, 0);
        if (page == -1)
            throw LinuxException.Last("mmap a page for machine code");
        code.CopyTo(new Span<byte>((void*)page, PageSize));
        if (mprotect(page, PageSize, ProtReadExecute) == -1)
            throw LinuxException.Last("mprotect machine code");
        entry = (delegate* unmanaged<void*, long>)page;
    }

    /// <summary>Calls the code with every signal of this thread blocked, so that a child it makes runs no handler of ours.</summary>
    internal long Call(void* argument)
    {
        var all = SignalSet.All;
        SignalSet before;
        if (pthread_sigmask(SigSetMask, &all, &before) != 0)
            throw new LinuxException("pthread_sigmask", 22);
        var result = entry(argument);
        _ = pthread_sigmask(SigSetMask, &before, null);
        return result;
    }

    /// <summary>glibc's sigset_t: 1024 bits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SignalSet
    {
        private fixed ulong words[16];

        internal static SignalSet All
        {
            get
            {
                var set = default(SignalSet);
                new Span<ulong>(set.words, 16).Fill(ulong.MaxValue);
                return set;
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mprotect(nint address, nint length, int protection);

    [LibraryImport("libc")]
    private static partial int pthread_sigmask(int how, SignalSet* set, SignalSet* old);
}
