using System.Collections.Immutable;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>Device rules as an eBPF program of type CGROUP_DEVICE, which cgroup v2 has instead of a controller.</summary>
internal static class DeviceProgram
{
    private const byte LoadWord = 0x61;
    private const byte MoveRegister = 0xbf;
    private const byte MoveConstant = 0xb7;
    private const byte AndConstant = 0x57;
    private const byte ShiftRight = 0x77;
    private const byte JumpNotEqual = 0x55;
    private const byte JumpRegisterNotEqual = 0x5d;
    private const byte Exit = 0x95;
    private const int BlockType = 1;
    private const int CharacterType = 2;

    internal static void Attach(string directory, ImmutableArray<OciDeviceRule> rules)
    {
        using var program = BpfProgram.Load(BpfProgram.TypeCgroupDevice, Compile(rules));
        using var group = KernelFile.Open(directory, KernelFile.ReadOnly | KernelFile.Directory);
        BpfProgram.Attach(program, group, BpfProgram.AttachCgroupDevice, directory);
    }

    /// <summary>
    /// The context is { u32 access &lt;&lt; 16 | type, major, minor }. The last rule that matches decides, so they are tried from the
    /// last to the first. What no rule names is allowed, as a v1 group that nothing was written to.
    /// </summary>
    internal static ImmutableArray<ulong> Compile(ImmutableArray<OciDeviceRule> rules)
    {
        var code = ImmutableArray.CreateBuilder<ulong>();
        code.Add(Instruction(LoadWord, 2, 1, 0, 0));        // r2 = type and access
        code.Add(Instruction(MoveRegister, 3, 2, 0, 0));
        code.Add(Instruction(AndConstant, 2, 0, 0, 0xffff)); // r2 = type
        code.Add(Instruction(ShiftRight, 3, 0, 0, 16));      // r3 = access
        code.Add(Instruction(LoadWord, 4, 1, 4, 0));         // r4 = major
        code.Add(Instruction(LoadWord, 5, 1, 8, 0));         // r5 = minor
        foreach (var rule in rules.Reverse())
        {
            code.AddRange(Rule(rule));
            if (rule is { Type: null or "a", Major: null or < 0, Minor: null or < 0 } && Access(rule.Access ?? "rwm") == 7)
                return code.ToImmutable(); // it decides everything that is left, and the kernel refuses code nobody reaches
        }
        code.Add(Instruction(MoveConstant, 0, 0, 0, 1));
        code.Add(Instruction(Exit, 0, 0, 0, 0));
        return code.ToImmutable();
    }

    private static List<ulong> Rule(OciDeviceRule rule)
    {
        var access = Access(rule.Access ?? "rwm");
        var conditions = new List<Func<short, ulong>>();
        var prelude = new List<ulong>();
        if (rule.Type is not (null or "a"))
        {
            var type = rule.Type == "b" ? BlockType : CharacterType;
            conditions.Add(skip => Instruction(JumpNotEqual, 2, 0, skip, type));
        }
        if (access != 7)
        {
            // An allowing rule must cover all that is asked for, a denying one any of it.
            prelude.Add(Instruction(MoveRegister, 1, 3, 0, 0));
            prelude.Add(Instruction(AndConstant, 1, 0, 0, access));
            conditions.Add(rule.Allow
                ? skip => Instruction(JumpRegisterNotEqual, 1, 3, skip, 0)
                : skip => Instruction(0x15, 1, 0, skip, 0));
        }
        if (rule.Major is >= 0)
            conditions.Add(skip => Instruction(JumpNotEqual, 4, 0, skip, (int)rule.Major.Value));
        if (rule.Minor is >= 0)
            conditions.Add(skip => Instruction(JumpNotEqual, 5, 0, skip, (int)rule.Minor.Value));
        List<ulong> code = [.. prelude];
        for (var i = 0; i < conditions.Count; i++)
            code.Add(conditions[i]((short)(conditions.Count - i - 1 + 2)));
        code.Add(Instruction(MoveConstant, 0, 0, 0, rule.Allow ? 1 : 0));
        code.Add(Instruction(Exit, 0, 0, 0, 0));
        return code;
    }

    /// <summary>BPF_DEVCG_ACC_*: mknod 1, read 2, write 4.</summary>
    private static int Access(string letters) =>
        (letters.Contains('m') ? 1 : 0) | (letters.Contains('r') ? 2 : 0) | (letters.Contains('w') ? 4 : 0);

    private static ulong Instruction(byte code, int destination, int source, short offset, int value) =>
        code | ((ulong)(destination | (source << 4)) << 8) | ((ulong)(ushort)offset << 16) | ((ulong)(uint)value << 32);
}
