using System.Collections.Frozen;
using System.Globalization;

namespace Orchestrator.Worker.Runtime.Seccomp;

/// <summary>System call numbers of one architecture by name (Linux's asm/unistd.h, up to 6.17).</summary>
internal sealed class SyscallTable
{
    private static readonly Lazy<SyscallTable> X64 = new(() => new SyscallTable("x86_64", 0xC000003E, words: 2));
    private static readonly Lazy<SyscallTable> X32Bit = new(() => new SyscallTable("i386", 0x40000003, words: 1));

    private readonly FrozenDictionary<string, int> numbers;

    private SyscallTable(string architecture, uint audit, int words)
    {
        AuditArchitecture = audit;
        ArgumentWords = words;
        using var stream = typeof(SyscallTable).Assembly.GetManifestResourceStream($"Seccomp/syscalls.{architecture}.txt")
            ?? throw new InvalidOperationException($"The system call table of {architecture} is not in the assembly.");
        using var reader = new StreamReader(stream);
        var all = new Dictionary<string, int>();
        while (reader.ReadLine() is { } line)
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            all.Add(line[..space], int.Parse(line.AsSpan(space + 1), CultureInfo.InvariantCulture));
        }
        numbers = all.ToFrozenDictionary();
    }

    internal static SyscallTable X86Of64Bit => X64.Value;

    internal static SyscallTable X86Of32Bit => X32Bit.Value;

    /// <summary>AUDIT_ARCH_* as a filter sees it.</summary>
    internal uint AuditArchitecture { get; }

    /// <summary>How many 32-bit words of an argument mean something.</summary>
    internal int ArgumentWords { get; }

    internal IEnumerable<KeyValuePair<string, int>> All => numbers;

    /// <summary>The number, or null where this architecture has no such call.</summary>
    internal int? Find(string name) => numbers.TryGetValue(name, out var number) ? number : null;
}
