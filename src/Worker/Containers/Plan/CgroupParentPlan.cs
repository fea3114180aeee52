using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Where a container's groups stand. The instance's own group is in every path, so that the instance finds what is its own.</summary>
internal static class CgroupParentPlan
{
    internal static void Check(string? parent, List<Problem> problems)
    {
        if (string.IsNullOrEmpty(parent))
            return;
        var parts = parent.Trim('/').Split('/');
        if (parts.Any(p => p is "" or "." or "..") || parent.Any(c => char.IsControl(c) || c == '\\'))
            problems.Add(new Problem("HostConfig.CgroupParent", $"invalid cgroup parent '{parent}': write a path below the root of the hierarchies, as in /batch/nightly"));
        else if (parts[^1].EndsWith(".slice", StringComparison.Ordinal))
            problems.Add(new Problem("HostConfig.CgroupParent", $"cgroup parent '{parent}' names a slice of systemd: orch drives cgroups itself (cgroupfs), and systemd would take them back"));
    }

    /// <param name="own">The instance's group, <c>/orch-INSTANCE</c> or below the daemon's parent.</param>
    /// <param name="parent">The container's parent; none: the daemon's.</param>
    /// <param name="id">The container.</param>
    internal static string Of(string own, string? parent, string id) => string.IsNullOrEmpty(parent)
        ? $"{own}/{id}"
        : $"/{parent.Trim('/')}/{own[(own.LastIndexOf('/') + 1)..]}/{id}";
}
