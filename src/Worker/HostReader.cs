using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Seccomp;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker;

/// <summary>Reads what plans must know of this machine.</summary>
internal static class HostReader
{
    /// <summary>The group of an instance's containers below every hierarchy; the instance's own also below a parent that others share.</summary>
    internal static string CgroupRoot(string? parent, string instance) =>
        string.IsNullOrEmpty(parent) ? $"/orch-{instance}" : $"/{parent.Trim('/')}/orch-{instance}";

    internal static HostFacts Read(string cgroupRoot)
    {
        var layout = CgroupLayout.Discover();
        var kernel = Environment.OSVersion.Version;
        // A handful of capability sets at most: each is compiled from the profile once.
        var profiles = new ConcurrentDictionary<string, OciSeccomp>(StringComparer.Ordinal);
        return new HostFacts
        {
            Cpus = Environment.ProcessorCount,
            Hostname = Environment.MachineName,
            Limits = LimitFacts.Of(layout, MemoryNodes()),
            CgroupParent = cgroupRoot,
            Kernel = kernel,
            DefaultSeccomp = capabilities => profiles.GetOrAdd(
                string.Join(',', capabilities), _ => SeccompProfile.Default.For(capabilities.ToImmutableHashSet(StringComparer.Ordinal), kernel)),
        };
    }

    /// <summary>One more than the highest node; a kernel without NUMA has one.</summary>
    private static int MemoryNodes()
    {
        const string online = "/sys/devices/system/node/online";
        var text = File.Exists(online) ? File.ReadAllText(online).Trim() : "0";
        return int.TryParse(text.Split(',', '-')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var highest) ? highest + 1 : 1;
    }
}
