using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>Kernel parameters that belong to the container's own namespaces; any other would change the host and is refused.</summary>
internal sealed class SysctlPlan(OciSpec spec, NamespacePlan namespaces)
{
    private static readonly ImmutableHashSet<string> OfIpc =
    [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
    ];

    internal IEnumerable<LaunchStep> Steps() => spec.Linux.Sysctl.OrderBy(s => s.Key, StringComparer.Ordinal).SelectMany(s => Write(s.Key, s.Value));

    private IEnumerable<LaunchStep> Write(string key, string value)
    {
        // Both spellings name the same file; an interface name may hold a dot, and is then written with slashes.
        var path = key.Contains('/', StringComparison.Ordinal) ? key : key.Replace('.', '/');
        var name = path.Replace('/', '.');
        var needed = name.StartsWith("net.", StringComparison.Ordinal) ? "network"
            : OfIpc.Contains(name) || name.StartsWith("fs.mqueue.", StringComparison.Ordinal) ? "ipc"
            : name is "kernel.domainname" or "kernel.hostname" ? "uts"
            : throw new RuntimeException($"sysctl {key} is not separate for each container and would change the host.");
        if (path.Split('/').Any(p => p is "" or "." or ".."))
            throw new RuntimeException($"sysctl '{key}' is not a name.");
        return namespaces.Separate(needed)
            ? Step.Write($"/proc/sys/{path}", value)
            : throw new RuntimeException($"sysctl {key} needs a {needed} namespace of the container's own.");
    }
}
