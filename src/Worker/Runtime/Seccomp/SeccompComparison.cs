using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Seccomp;

/// <summary>64-bit comparisons of a call's argument in the 32-bit words of classic BPF.</summary>
internal static class SeccompComparison
{
    /// <summary>Puts the condition before the code: it falls into it when it holds and jumps behind it when it does not.</summary>
    internal static ImmutableArray<ulong> Before(ImmutableArray<ulong> code, OciSyscallArg condition, int words)
    {
        if (condition.Index > 5)
            throw new RuntimeException($"A seccomp rule compares argument {condition.Index}; calls have 0 to 5.");
        var fail = checked((byte)code.Length);
        var low = Bpf.ArgumentOffset(condition.Index);
        ImmutableArray<ulong> last = [Bpf.Load(low), .. LowWord(condition, fail)];
        if (words == 1)
            return [.. last, .. code];
        ImmutableArray<ulong> first = [Bpf.Load(low + 4), .. HighWord(condition, (byte)last.Length, checked((byte)(last.Length + code.Length)))];
        return [.. first, .. last, .. code];
    }

    private static ImmutableArray<ulong> LowWord(OciSyscallArg condition, byte fail)
    {
        var value = (uint)condition.Value;
        return condition.Op switch
        {
            "SCMP_CMP_EQ" => [Bpf.Jump(Bpf.JumpEqual, value, 0, fail)],
            "SCMP_CMP_NE" => [Bpf.Jump(Bpf.JumpEqual, value, fail, 0)],
            "SCMP_CMP_GT" => [Bpf.Jump(Bpf.JumpGreater, value, 0, fail)],
            "SCMP_CMP_GE" => [Bpf.Jump(Bpf.JumpGreaterOrEqual, value, 0, fail)],
            "SCMP_CMP_LT" => [Bpf.Jump(Bpf.JumpGreaterOrEqual, value, fail, 0)],
            "SCMP_CMP_LE" => [Bpf.Jump(Bpf.JumpGreater, value, fail, 0)],
            "SCMP_CMP_MASKED_EQ" => [Bpf.And(value), Bpf.Jump(Bpf.JumpEqual, (uint)condition.ValueTwo, 0, fail)],
            _ => throw new RuntimeException($"The seccomp comparison {condition.Op} is not supported."),
        };
    }

    /// <summary>Decides by the upper word where it can; <paramref name="hold"/> skips the lower word, <paramref name="fail"/> all.</summary>
    private static ImmutableArray<ulong> HighWord(OciSyscallArg condition, byte hold, byte fail)
    {
        var value = (uint)(condition.Value >> 32);
        return condition.Op switch
        {
            "SCMP_CMP_EQ" => [Bpf.Jump(Bpf.JumpEqual, value, 0, fail)],
            "SCMP_CMP_NE" => [Bpf.Jump(Bpf.JumpEqual, value, 0, hold)],
            "SCMP_CMP_GT" or "SCMP_CMP_GE" =>
                [Bpf.Jump(Bpf.JumpGreater, value, checked((byte)(hold + 1)), 0), Bpf.Jump(Bpf.JumpEqual, value, 0, fail)],
            "SCMP_CMP_LT" or "SCMP_CMP_LE" =>
                [Bpf.Jump(Bpf.JumpGreater, value, checked((byte)(fail + 1)), 0), Bpf.Jump(Bpf.JumpEqual, value, 0, hold)],
            "SCMP_CMP_MASKED_EQ" => [Bpf.And(value), Bpf.Jump(Bpf.JumpEqual, (uint)(condition.ValueTwo >> 32), 0, fail)],
            _ => throw new RuntimeException($"The seccomp comparison {condition.Op} is not supported."),
        };
    }
}
