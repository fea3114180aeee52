using System.Collections.Immutable;

namespace Orchestrator.Worker.Runtime.Seccomp;

/// <summary>Classic BPF as seccomp takes it: struct sock_filter { u16 code; u8 jt; u8 jf; u32 k } over struct seccomp_data.</summary>
internal static class Bpf
{
    internal const ushort LoadWord = 0x20;
    internal const ushort JumpAlways = 0x05;
    internal const ushort JumpEqual = 0x15;
    internal const ushort JumpGreater = 0x25;
    internal const ushort JumpGreaterOrEqual = 0x35;
    internal const ushort AndConstant = 0x54;
    internal const ushort ReturnConstant = 0x06;

    internal const uint NumberOffset = 0;
    internal const uint ArchitectureOffset = 4;

    /// <summary>Offset of the lower word of an argument; the upper follows (little endian).</summary>
    internal static uint ArgumentOffset(uint index) => 16 + (8 * index);

    internal static ulong Load(uint offset) => Instruction(LoadWord, 0, 0, offset);

    internal static ulong And(uint mask) => Instruction(AndConstant, 0, 0, mask);

    internal static ulong Jump(ushort code, uint value, byte whenTrue, byte whenFalse) => Instruction(code, whenTrue, whenFalse, value);

    internal static ImmutableArray<ulong> Return(uint verdict) => [Instruction(ReturnConstant, 0, 0, verdict)];

    /// <summary>
    /// A comparison with code for both outcomes. Conditional jumps reach 255 instructions only; beyond that an unconditional
    /// jump, whose distance has 32 bits, is put between.
    /// </summary>
    internal static ImmutableArray<ulong> Branch(ushort code, uint value, ImmutableArray<ulong> whenTrue, ImmutableArray<ulong> whenFalse) =>
        whenFalse.Length <= byte.MaxValue
            ? [Jump(code, value, (byte)whenFalse.Length, 0), .. whenFalse, .. whenTrue]
            : [Jump(code, value, 0, 1), Instruction(JumpAlways, 0, 0, (uint)whenFalse.Length), .. whenFalse, .. whenTrue];

    private static ulong Instruction(ushort code, byte whenTrue, byte whenFalse, uint k) =>
        code | ((ulong)whenTrue << 16) | ((ulong)whenFalse << 24) | ((ulong)k << 32);
}
