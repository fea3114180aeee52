using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Seccomp;

/// <summary>A classic BPF program for seccomp(2), ready for the kernel: one word per instruction (struct sock_filter).</summary>
/// <param name="Flags">SECCOMP_FILTER_FLAG_*.</param>
internal sealed record SeccompFilter(ImmutableArray<ulong> Instructions, uint Flags)
{
    private const int KernelLimit = 4096;
    private const uint LogFlag = 2;
    private const uint SpecAllowFlag = 4;
    private const uint FirstX32Number = 0x40000000;
    private const uint NoSuchCall = SeccompAction.Errno | 38;

    /// <summary>
    /// Compiles the filter: per architecture a balanced tree over the call numbers, so that any call is judged within some nine
    /// comparisons (a list of 400 takes 400, and the kernel walks it for every number when the filter is loaded).
    /// x86-64's own calls and, when the filter names SCMP_ARCH_X86, those of 32-bit programs are judged by their own numbers.
    /// x32 calls get the default action always, any other architecture is killed: rules for one numbering must never judge another.
    /// </summary>
    internal static SeccompFilter Compile(OciSeccomp seccomp)
    {
        var fallback = SeccompAction.Parse(seccomp.DefaultAction, seccomp.DefaultErrnoRet);
        var bpf = new Bpf();
        var others = bpf.Return(SeccompAction.KillProcess);
        if (seccomp.Architectures.Contains("SCMP_ARCH_X86"))
            others = bpf.Branch(Bpf.JumpEqual, SyscallTable.X86Of32Bit.AuditArchitecture, bpf.Load(Bpf.NumberOffset, Tree(bpf, seccomp, SyscallTable.X86Of32Bit, fallback)), others);
        var own = bpf.Branch(Bpf.JumpGreaterOrEqual, FirstX32Number, bpf.Return(fallback), Tree(bpf, seccomp, SyscallTable.X86Of64Bit, fallback));
        bpf.Load(Bpf.ArchitectureOffset, bpf.Branch(Bpf.JumpEqual, SyscallTable.X86Of64Bit.AuditArchitecture, bpf.Load(Bpf.NumberOffset, own), others));
        var code = bpf.Program();
        if (code.Length > KernelLimit)
            throw new RuntimeException($"The seccomp profile compiles to {code.Length} instructions; the kernel takes {KernelLimit}.");
        return new SeccompFilter(code, ParseFlags(seccomp.Flags));
    }

    private static int Tree(Bpf bpf, OciSeccomp seccomp, SyscallTable table, uint fallback)
    {
        var rules = new SortedDictionary<int, List<OciSyscall>>();
        foreach (var rule in seccomp.Syscalls)
        {
            foreach (var name in rule.Names)
            {
                // A name this architecture does not have is no mistake: profiles are written for all of them.
                if (table.Find(name) is not { } number)
                    continue;
                if (!rules.TryGetValue(number, out var list))
                    rules.Add(number, list = []);
                list.Add(rule);
            }
        }

        // Calls newer than the profile's author could know answer "no such call" rather than "not permitted", so that
        // libraries fall back to the older way (the same rule as runc's).
        var unknown = (fallback & SeccompAction.Mask) == SeccompAction.Errno ? NoSuchCall : fallback;
        var next = 0;
        var ranges = new List<SeccompRange>();
        foreach (var (number, list) in rules)
        {
            if (number > next)
                Append(ranges, new SeccompRange((uint)next, fallback, []));
            var (verdict, judged) = Judged(list, fallback);
            Append(ranges, new SeccompRange((uint)number, verdict, judged));
            next = number + 1;
        }
        Append(ranges, new SeccompRange((uint)next, unknown, []));
        if (ranges[0].First != 0)
            throw new System.Diagnostics.UnreachableException();
        return Search(ranges, 0, ranges.Count);

        int Search(List<SeccompRange> ranges, int from, int to)
        {
            if (to - from == 1)
                return Judge(bpf, ranges[from], table);
            var middle = (from + to) / 2;
            var upper = Search(ranges, middle, to);
            return bpf.Branch(Bpf.JumpGreaterOrEqual, ranges[middle].First, upper, Search(ranges, from, middle));
        }
    }

    private static void Append(List<SeccompRange> ranges, SeccompRange range)
    {
        if (ranges.Count == 0 || ranges[^1].Verdict != range.Verdict || !ranges[^1].Rules.IsEmpty || !range.Rules.IsEmpty)
            ranges.Add(range);
    }

    /// <summary>
    /// What is said of one call. As libseccomp, which the profiles are written for: rules that say what is said anyway do not count, one without
    /// conditions beats all that have some, and of several without conditions the first stands.
    /// </summary>
    private static (uint Verdict, ImmutableArray<SeccompRule> Rules) Judged(List<OciSyscall> rules, uint fallback)
    {
        ImmutableArray<SeccompRule> counting = [.. rules.Select(r => new SeccompRule(SeccompAction.Parse(r.Action, r.ErrnoRet), r.Args)).Where(r => r.Verdict != fallback)];
        return counting.FirstOrDefault(r => r.Conditions.IsEmpty) is { } always ? (always.Verdict, []) : (fallback, counting);
    }

    private static int Judge(Bpf bpf, SeccompRange range, SyscallTable table)
    {
        var code = bpf.Return(range.Verdict);
        foreach (var rule in range.Rules.Reverse())
        {
            foreach (var conditions in Alternatives(rule.Conditions).Reverse())
            {
                var fail = code;
                code = bpf.Return(rule.Verdict);
                foreach (var condition in conditions.Reverse())
                    code = SeccompComparison.Write(bpf, condition, table.ArgumentWords, code, fail);
            }
        }
        return code;
    }

    /// <summary>All conditions must hold; but when one argument is compared twice, any of them is enough (as in runc).</summary>
    private static ImmutableArray<ImmutableArray<OciSyscallArg>> Alternatives(ImmutableArray<OciSyscallArg> conditions) =>
        conditions.DistinctBy(c => c.Index).Count() == conditions.Length ? [conditions] : [.. conditions.Select(c => ImmutableArray.Create(c))];

    private static uint ParseFlags(ImmutableArray<string> flags)
    {
        // Absent flags mean SPEC_ALLOW, as in runc: no extra speculation barriers for every call.
        if (flags.IsEmpty)
            return SpecAllowFlag;
        var all = 0u;
        foreach (var flag in flags)
        {
            all |= flag switch
            {
                "SECCOMP_FILTER_FLAG_TSYNC" => 0, // one thread only when it is loaded
                "SECCOMP_FILTER_FLAG_LOG" => LogFlag,
                "SECCOMP_FILTER_FLAG_SPEC_ALLOW" => SpecAllowFlag,
                _ => throw new RuntimeException($"The seccomp flag {flag} is not supported."),
            };
        }
        return all;
    }

    /// <summary>Calls from a number up to the next range's.</summary>
    private readonly record struct SeccompRange(uint First, uint Verdict, ImmutableArray<SeccompRule> Rules);

    private sealed record SeccompRule(uint Verdict, ImmutableArray<OciSyscallArg> Conditions);
}
