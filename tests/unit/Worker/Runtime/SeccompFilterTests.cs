using Orchestrator.Worker.Runtime.Seccomp;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Unit.Worker.Runtime;

public sealed class SeccompFilterTests
{
    private const uint X64 = 0xC000003E;
    private const uint X86 = 0x40000003;
    private const uint Allow = 0x7fff0000;
    private const uint NotPermitted = 0x00050001;
    private const uint NoSuchCall = 0x00050026;

    private static readonly Version Kernel = new(6, 1);
    private static readonly string[] DockerCaps =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
    ];

    // Around every constant that the profile compares with, in both words.
    private static readonly ulong[] Values =
    [
        0, 1, 8, 37, 38, 39, 40, 41, 131072, 131080, 0x7E020000, 0x10000000, 0x00010000, 0xfffffffe, 0xffffffff,
        0x1_00000000, 0x1_00000026, 0x1_00000027, 0x1_00000008, 0xffffffff_ffffffff, 0x7E020000_00000000,
    ];

    [Theory]
    [InlineData]
    [InlineData("CAP_SYS_ADMIN")]
    [InlineData("CAP_SYS_PTRACE", "CAP_SYSLOG", "CAP_BPF")]
    [InlineData("CAP_DAC_READ_SEARCH", "CAP_SYS_MODULE", "CAP_SYS_TIME", "CAP_SYS_NICE", "CAP_SYS_ADMIN")]
    public void The_program_says_what_the_default_profile_means_for_every_call(params string[] more)
    {
        var rules = SeccompProfile.Default.For(new HashSet<string>([.. DockerCaps, .. more]), Kernel);
        var filter = SeccompFilter.Compile(rules);
        Assert.InRange(filter.Instructions.Length, 150, 300); // shared verdicts: some 450 without
        Check(rules, filter, SyscallTable.X86Of64Bit, X64, ulong.MaxValue);
        Check(rules, filter, SyscallTable.X86Of32Bit, X86, uint.MaxValue);
    }

    [Theory]
    [InlineData("SCMP_CMP_EQ")]
    [InlineData("SCMP_CMP_NE")]
    [InlineData("SCMP_CMP_LT")]
    [InlineData("SCMP_CMP_LE")]
    [InlineData("SCMP_CMP_GT")]
    [InlineData("SCMP_CMP_GE")]
    [InlineData("SCMP_CMP_MASKED_EQ")]
    public void Arguments_are_compared_in_all_64_bits(string op)
    {
        foreach (var value in Values)
        {
            var rules = new OciSeccomp
            {
                DefaultAction = "SCMP_ACT_ERRNO",
                Syscalls =
                [
                    new OciSyscall
                    {
                        Names = ["read"],
                        Action = "SCMP_ACT_ALLOW",
                        Args =
                        [
                            new OciSyscallArg { Index = 1, Value = value, ValueTwo = value & 0xff00ff00_ff00ff00, Op = op },
                            new OciSyscallArg { Index = 2, Value = 7, Op = "SCMP_CMP_NE" },
                        ],
                    },
                    new OciSyscall { Names = ["read"], Action = "SCMP_ACT_ERRNO", ErrnoRet = 5, Args = [new OciSyscallArg { Index = 2, Value = 7, Op = "SCMP_CMP_EQ" }] },
                ],
            };
            Check(rules, SeccompFilter.Compile(rules), SyscallTable.X86Of64Bit, X64, ulong.MaxValue);
        }
    }

    [Fact]
    public void A_filter_whose_parts_lie_farther_apart_than_a_comparison_reaches_judges_every_call()
    {
        var table = SyscallTable.X86Of64Bit;
        var rules = new OciSeccomp
        {
            DefaultAction = "SCMP_ACT_ALLOW",
            Syscalls =
            [
                .. table.All.Select(call => new OciSyscall
                {
                    Names = [call.Key],
                    Action = "SCMP_ACT_ERRNO",
                    ErrnoRet = (uint)call.Value + 1, // no two verdicts are the same, so none is shared
                    Args = [new OciSyscallArg { Index = 1, Value = 8, Op = "SCMP_CMP_GE" }],
                }),
            ],
        };
        var filter = SeccompFilter.Compile(rules);
        Assert.True(filter.Instructions.Length > 1000);
        Check(rules, filter, table, X64, ulong.MaxValue);
    }

    [Fact]
    public void Dangerous_calls_are_refused_and_ordinary_ones_allowed()
    {
        var filter = Default();
        Assert.Equal(NotPermitted, Judge(filter, "unshare"));
        Assert.Equal(NotPermitted, Judge(filter, "keyctl"));
        Assert.Equal(NotPermitted, Judge(filter, "mount"));
        Assert.Equal(NotPermitted, Judge(filter, "clone", 0x10000000));
        Assert.Equal(NoSuchCall, Judge(filter, "clone3"));
        Assert.Equal(Allow, Judge(filter, "clone", 0x11));
        Assert.Equal(Allow, Judge(filter, "openat"));
        Assert.Equal(Allow, Judge(filter, "execve"));
    }

    [Fact]
    public void Calls_through_other_numberings_cannot_slip_through()
    {
        var filter = Default();
        for (var number = 0u; number < 600; number++)
            Assert.Equal(NotPermitted, BpfMachine.Run(filter.Instructions, X64, 0x40000000 | number, []));
        Assert.Equal(0x80000000, BpfMachine.Run(filter.Instructions, 0xC00000B7, 0, []));
        Assert.Equal(NotPermitted, BpfMachine.Run(filter.Instructions, X64, uint.MaxValue, []));
    }

    [Fact]
    public void Calls_newer_than_the_profile_do_not_exist() =>
        Assert.Equal(NoSuchCall, BpfMachine.Run(Default().Instructions, X64, 500, []));

    [Fact]
    public void A_filter_that_allows_by_default_denies_what_it_names()
    {
        var filter = SeccompFilter.Compile(new OciSeccomp
        {
            DefaultAction = "SCMP_ACT_ALLOW",
            Syscalls = [new OciSyscall { Names = ["mkdir", "no_such_call"], Action = "SCMP_ACT_KILL_PROCESS" }],
        });
        Assert.Equal(0x80000000, Judge(filter, "mkdir"));
        Assert.Equal(Allow, Judge(filter, "mkdirat"));
        Assert.Equal(Allow, BpfMachine.Run(filter.Instructions, X64, 5000, []));
    }

    private static SeccompFilter Default() =>
        SeccompFilter.Compile(SeccompProfile.Default.For(new HashSet<string>(DockerCaps), Kernel));

    private static uint Judge(SeccompFilter filter, string name, params ulong[] arguments) =>
        BpfMachine.Run(filter.Instructions, X64, (uint)SyscallTable.X86Of64Bit.Find(name)!.Value, arguments);

    private static void Check(OciSeccomp rules, SeccompFilter filter, SyscallTable table, uint architecture, ulong mask)
    {
        var names = table.All.ToLookup(p => p.Value, p => p.Key);
        var mentioned = rules.Syscalls.SelectMany(r => r.Names).Select(table.Find).OfType<int>().Max();
        var arguments = new ulong[6];
        for (var number = 0; number <= mentioned; number++)
        {
            for (var index = 0; index < 3; index++)
            {
                foreach (var value in Values)
                {
                    Array.Clear(arguments);
                    arguments[2] = 7;
                    arguments[index] = value & mask;
                    var expected = Meaning(rules, [.. names[number]], arguments);
                    var actual = BpfMachine.Run(filter.Instructions, architecture, (uint)number, arguments);
                    if (expected != actual)
                        Assert.Fail($"call {number} {names[number].FirstOrDefault()}, argument {index} = {value:x}: {actual:x}, not {expected:x}");
                }
            }
        }
    }

    /// <summary>The first rule whose conditions hold, else the default.</summary>
    private static uint Meaning(OciSeccomp rules, string[] names, ulong[] arguments)
    {
        var rule = rules.Syscalls.FirstOrDefault(r => r.Names.Any(names.Contains) && r.Args.All(a => Holds(a, arguments[a.Index])));
        return rule switch
        {
            null => rules.DefaultAction == "SCMP_ACT_ALLOW" ? Allow : NotPermitted,
            { Action: "SCMP_ACT_ALLOW" } => Allow,
            { Action: "SCMP_ACT_ERRNO" } => 0x00050000 | (rule.ErrnoRet ?? 1),
            _ => throw new InvalidOperationException(rule.Action),
        };
    }

    private static bool Holds(OciSyscallArg condition, ulong value) => condition.Op switch
    {
        "SCMP_CMP_EQ" => value == condition.Value,
        "SCMP_CMP_NE" => value != condition.Value,
        "SCMP_CMP_LT" => value < condition.Value,
        "SCMP_CMP_LE" => value <= condition.Value,
        "SCMP_CMP_GT" => value > condition.Value,
        "SCMP_CMP_GE" => value >= condition.Value,
        "SCMP_CMP_MASKED_EQ" => (value & condition.Value) == condition.ValueTwo,
        _ => throw new InvalidOperationException(condition.Op),
    };
}
