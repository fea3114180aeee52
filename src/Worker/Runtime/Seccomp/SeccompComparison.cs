using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Seccomp;

/// <summary>64-bit comparisons of a call's argument in the 32-bit words of classic BPF.</summary>
internal static class SeccompComparison
{
    /// <summary>Goes on at one label when the condition holds and at the other when it does not.</summary>
    /// <param name="bpf">Gets it written.</param>
    /// <param name="condition">Of one argument.</param>
    /// <param name="words">That an argument has: 1 or 2.</param>
    /// <param name="hold">A label.</param>
    /// <param name="fail">A label.</param>
    internal static int Write(Bpf bpf, OciSyscallArg condition, int words, int hold, int fail)
    {
        if (condition.Index > 5)
            throw new RuntimeException($"A seccomp rule compares argument {condition.Index}; calls have 0 to 5.");
        var offset = Bpf.ArgumentOffset(condition.Index);
        var low = bpf.Load(offset, LowWord(bpf, condition, hold, fail));
        return words == 1 ? low : bpf.Load(offset + 4, HighWord(bpf, condition, low, hold, fail));
    }

    private static int LowWord(Bpf bpf, OciSyscallArg condition, int hold, int fail)
    {
        var value = (uint)condition.Value;
        return condition.Op switch
        {
            "SCMP_CMP_EQ" => bpf.Branch(Bpf.JumpEqual, value, hold, fail),
            "SCMP_CMP_NE" => bpf.Branch(Bpf.JumpEqual, value, fail, hold),
            "SCMP_CMP_GT" => bpf.Branch(Bpf.JumpGreater, value, hold, fail),
            "SCMP_CMP_GE" => bpf.Branch(Bpf.JumpGreaterOrEqual, value, hold, fail),
            "SCMP_CMP_LT" => bpf.Branch(Bpf.JumpGreaterOrEqual, value, fail, hold),
            "SCMP_CMP_LE" => bpf.Branch(Bpf.JumpGreater, value, fail, hold),
            "SCMP_CMP_MASKED_EQ" => bpf.And(value, bpf.Branch(Bpf.JumpEqual, (uint)condition.ValueTwo, hold, fail)),
            _ => throw new RuntimeException($"The seccomp comparison {condition.Op} is not supported."),
        };
    }

    /// <summary>Decides by the upper word where it can; where both are the same, the lower one does.</summary>
    private static int HighWord(Bpf bpf, OciSyscallArg condition, int low, int hold, int fail)
    {
        var value = (uint)(condition.Value >> 32);
        return condition.Op switch
        {
            "SCMP_CMP_EQ" => bpf.Branch(Bpf.JumpEqual, value, low, fail),
            "SCMP_CMP_NE" => bpf.Branch(Bpf.JumpEqual, value, low, hold),
            "SCMP_CMP_GT" or "SCMP_CMP_GE" => bpf.Branch(Bpf.JumpGreater, value, hold, bpf.Branch(Bpf.JumpEqual, value, low, fail)),
            "SCMP_CMP_LT" or "SCMP_CMP_LE" => bpf.Branch(Bpf.JumpGreater, value, fail, bpf.Branch(Bpf.JumpEqual, value, low, hold)),
            "SCMP_CMP_MASKED_EQ" => bpf.And(value, bpf.Branch(Bpf.JumpEqual, (uint)(condition.ValueTwo >> 32), low, fail)),
            _ => throw new RuntimeException($"The seccomp comparison {condition.Op} is not supported."),
        };
    }
}
