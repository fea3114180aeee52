using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>What was asked for and no hierarchy of this host holds, a sentence each that names the controller.</summary>
internal static class MissingControllers
{
    internal static IEnumerable<string> Of(CgroupLayout layout, OciResources resources)
    {
        if (resources.Memory is { } memory && memory != new OciMemory() && !layout.Holds("memory"))
            yield return "This host's cgroups have no memory controller: the memory limit is not held.";
        if (resources.Cpu is { Quota: not null } or { Shares: not null } or { Period: not null } && !layout.Holds("cpu"))
            yield return "This host's cgroups have no cpu controller: cpu limits are not held.";
        if (resources.Cpu is { Cpus.Length: > 0 } or { Mems.Length: > 0 } && !layout.Holds("cpuset"))
            yield return "This host's cgroups have no cpuset controller: the choice of processors and memory nodes is not held.";
        if (resources.Pids is { Limit: > 0 } && !layout.Holds("pids"))
            yield return "This host's cgroups have no pids controller: the limit of processes is not held.";
        if (resources.BlockIO is not null && layout.LegacyMount("blkio") is null && !layout.UnifiedControllers.Contains("io"))
            yield return "This host's cgroups have no blkio or io controller: block I/O limits are not held.";
        if (!resources.HugepageLimits.IsEmpty && !layout.Holds("hugetlb"))
            yield return "This host's cgroups have no hugetlb controller: limits of huge pages are not held.";
        if (resources.Network?.ClassId is not null && layout.LegacyMount("net_cls") is null)
            yield return "This host has no net_cls controller (cgroup v1 alone has it): the class of packets is not set.";
        if (resources.Network is { Priorities.IsEmpty: false } && layout.LegacyMount("net_prio") is null)
            yield return "This host has no net_prio controller (cgroup v1 alone has it): the priorities of interfaces are not set.";
    }
}
