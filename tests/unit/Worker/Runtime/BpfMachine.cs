using System.Collections.Immutable;

namespace Orchestrator.Tests.Unit.Worker.Runtime;

/// <summary>Runs classic BPF over a struct seccomp_data, as the kernel does (linux/filter.h), refusing what it would refuse.</summary>
internal static class BpfMachine
{
    internal static uint Run(ImmutableArray<ulong> program, uint architecture, uint number, ReadOnlySpan<ulong> arguments)
    {
        Span<byte> data = stackalloc byte[64];
        data.Clear();
        BitConverter.TryWriteBytes(data, number);
        BitConverter.TryWriteBytes(data[4..], architecture);
        for (var i = 0; i < arguments.Length; i++)
            BitConverter.TryWriteBytes(data[(16 + (8 * i))..], arguments[i]);
        uint accumulator = 0;
        for (var at = 0; ; at++)
        {
            var instruction = program[at];
            var (whenTrue, whenFalse, k) = ((byte)(instruction >> 16), (byte)(instruction >> 24), (uint)(instruction >> 32));
            switch ((ushort)instruction)
            {
                case 0x20:
                    Assert.Equal(0u, k % 4);
                    accumulator = BitConverter.ToUInt32(data[(int)k..]);
                    break;
                case 0x05:
                    at += (int)k;
                    break;
                case 0x15:
                    at += accumulator == k ? whenTrue : whenFalse;
                    break;
                case 0x25:
                    at += accumulator > k ? whenTrue : whenFalse;
                    break;
                case 0x35:
                    at += accumulator >= k ? whenTrue : whenFalse;
                    break;
                case 0x54:
                    accumulator &= k;
                    break;
                case 0x06:
                    return k;
                default:
                    Assert.Fail($"instruction {at} has the unknown code {(ushort)instruction:x}");
                    break;
            }
        }
    }
}
