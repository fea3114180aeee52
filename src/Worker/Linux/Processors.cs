using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Linux;

/// <summary>On which processors the calling thread may run (sched_setaffinity(2)). What it forks inherits that.</summary>
internal static unsafe partial class Processors
{
    /// <summary>Of a mask, in bytes: 1024 processors, as the C library has it.</summary>
    internal const int MaskSize = 128;

    private const int OnlineName = 84; // _SC_NPROCESSORS_ONLN

    /// <summary>How many there are, when first asked for: each time would be a file to read.</summary>
    private static readonly Lazy<nint> Online = new(() => sysconf(OnlineName));

    /// <summary>
    /// Keeps the calling thread on the processor that it is on. False: it goes on as it was, for it is not known what it might use otherwise.
    /// </summary>
    /// <param name="before">Gets what <see cref="Use"/> is to be told afterwards.</param>
    internal static bool TryStay(byte* before)
    {
        var here = sched_getcpu();
        if (here is < 0 or >= MaskSize * 8 || sched_getaffinity(0, MaskSize, before) != 0)
            return false;
        var only = stackalloc byte[MaskSize];
        new Span<byte>(only, MaskSize).Clear();
        only[here / 8] = (byte)(1 << (here % 8));
        var all = new Span<byte>(before, MaskSize);
        var count = 0;
        for (var at = 0; at < MaskSize; at += sizeof(ulong))
            count += BitOperations.PopCount(BinaryPrimitives.ReadUInt64LittleEndian(all[at..]));
        // Said as a list of those there are now, it would be without those that are switched on later.
        if (count >= Online.Value)
            all.Fill(0xff);
        return sched_setaffinity(0, MaskSize, only) == 0;
    }

    /// <summary>The calling thread may run where it might before; refused only when none of those processors is there any more, and then the kernel has chosen.</summary>
    internal static void Use(byte* before) => _ = sched_setaffinity(0, MaskSize, before);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sched_getcpu();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sched_getaffinity(int thread, nint size, byte* mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sched_setaffinity(int thread, nint size, byte* mask);

    [LibraryImport("libc")]
    private static partial nint sysconf(int name);
}
