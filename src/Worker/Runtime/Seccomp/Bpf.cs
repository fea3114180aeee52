using System.Collections.Immutable;

namespace Orchestrator.Worker.Runtime.Seccomp;

/// <summary>
/// Classic BPF as seccomp takes it: struct sock_filter { u16 code; u8 jt; u8 jf; u32 k } over struct seccomp_data. Jumps lead forward only, so a
/// program is written from its end to its beginning: what is written answers its label, by which what is written later, and runs earlier, leads to it.
/// </summary>
internal sealed class Bpf
{
    internal const ushort JumpEqual = 0x15;
    internal const ushort JumpGreater = 0x25;
    internal const ushort JumpGreaterOrEqual = 0x35;
    internal const uint NumberOffset = 0;
    internal const uint ArchitectureOffset = 4;

    private const ushort LoadWord = 0x20;
    private const ushort JumpAlways = 0x05;
    private const ushort AndConstant = 0x54;
    private const ushort ReturnConstant = 0x06;

    // From the last to the first. A label is how many there were once its instruction was written.
    private readonly List<ulong> written = [];
    private readonly Dictionary<uint, int> verdicts = [];

    /// <summary>Offset of the lower word of an argument; the upper follows (little endian).</summary>
    internal static uint ArgumentOffset(uint index) => 16 + (8 * index);

    /// <summary>The program, which begins with what was written last.</summary>
    internal ImmutableArray<ulong> Program() => [.. Enumerable.Reverse(written)];

    /// <summary>Ends with the verdict. Who can reach one that is there shares it: half of a filter would be its verdicts.</summary>
    internal int Return(uint verdict) =>
        verdicts.TryGetValue(verdict, out var there) && written.Count - there < byte.MaxValue ? there : verdicts[verdict] = Write(ReturnConstant, 0, 0, verdict);

    /// <summary>Loads a word, then goes on at the label.</summary>
    internal int Load(uint offset, int then) => Before(then, LoadWord, offset);

    /// <summary>Keeps the bits of the mask, then goes on at the label.</summary>
    internal int And(uint mask, int then) => Before(then, AndConstant, mask);

    /// <summary>
    /// Compares the loaded word with the value. Conditional jumps reach 255 instructions only; for what lies beyond, an unconditional jump, whose
    /// distance has 32 bits, is put between.
    /// </summary>
    internal int Branch(ushort comparison, uint value, int whenTrue, int whenFalse)
    {
        // The first of the two lies one further once the second has got its jump.
        whenTrue = Near(whenTrue, byte.MaxValue - 1);
        whenFalse = Near(whenFalse, byte.MaxValue);
        return Write(comparison, (byte)(written.Count - whenTrue), (byte)(written.Count - whenFalse), value);
    }

    private int Before(int then, ushort code, uint k)
    {
        Near(then, 0);
        return Write(code, 0, 0, k);
    }

    private int Near(int label, int reach) => written.Count - label <= reach ? label : Write(JumpAlways, 0, 0, (uint)(written.Count - label));

    private int Write(ushort code, byte whenTrue, byte whenFalse, uint k)
    {
        written.Add(code | ((ulong)whenTrue << 16) | ((ulong)whenFalse << 24) | ((ulong)k << 32));
        return written.Count;
    }
}
