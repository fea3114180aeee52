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

    /// <summary>The set that is kept. Names come with or without <c>CAP_</c>, in any case; <c>ALL</c> is every one.</summary>
    internal static ImmutableArray<string> Of(IReadOnlyList<string> add, IReadOnlyList<string> drop, List<Problem> problems)
    {
        var added = Normalise("CapAdd", add, problems);
        var dropped = Normalise("CapDrop", drop, problems);
        if (added.Contains(CapabilityNames.Everything))
            return [.. CapabilityNames.All.Where(c => !dropped.Contains(c))];
        if (dropped.Contains(CapabilityNames.Everything))
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
            var full = CapabilityNames.FullName(name);
            if (!CapabilityNames.IsKnown(full))
                problems.Add(new Problem("HostConfig." + field, $"invalid {field}: unknown capability: \"{full}\""));
            else if (!known.Contains(full))
                known.Add(full);
        }

        return known;
    }
}
