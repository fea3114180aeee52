using System.Collections.Immutable;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Which capabilities a container keeps: Docker's default set, changed by <c>CapAdd</c> and <c>CapDrop</c>.</summary>
internal static class CapabilityPlan
{
    internal static ImmutableArray<string> Default { get; } =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
    ];

    /// <summary>capabilities(7), in the kernel's order.</summary>
    internal static ImmutableArray<string> All { get; } =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
        "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN",
        "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
        "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ];

    private const string Everything = "ALL";

    /// <summary>The set that is kept. Names come with or without <c>CAP_</c>, in any case; <c>ALL</c> is every one.</summary>
    internal static ImmutableArray<string> Of(IReadOnlyList<string> add, IReadOnlyList<string> drop, List<Problem> problems)
    {
        var added = Normalise("CapAdd", add, problems);
        var dropped = Normalise("CapDrop", drop, problems);
        if (added.Contains(Everything))
            return [.. All.Where(c => !dropped.Contains(c))];
        if (dropped.Contains(Everything))
            return [.. added];
        // What is both added and dropped is kept, as Docker does: first it drops, then it adds.
        var kept = Default.Where(c => !dropped.Contains(c)).ToList();
        return [.. kept, .. added.Where(c => !kept.Contains(c))];
    }

    private static List<string> Normalise(string field, IReadOnlyList<string> names, List<Problem> problems)
    {
        var known = new List<string>();
        foreach (var name in names)
        {
            var upper = name.ToUpperInvariant();
            var full = upper == Everything || upper.StartsWith("CAP_", StringComparison.Ordinal) ? upper : "CAP_" + upper;
            if (full == "CAP_ALL")
                full = Everything;
            if (full != Everything && !All.Contains(full))
                problems.Add(new Problem("HostConfig." + field, $"invalid {field}: unknown capability: \"{full}\""));
            else if (!known.Contains(full))
                known.Add(full);
        }

        return known;
    }
}
