using System.Globalization;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Plan;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Asks the kernel and this process what launch plans need to know.</summary>
internal static class HostFactsReader
{
    private const int LimitCount = 16;

    internal static HostFacts Read() => new()
    {
        Kernel = Environment.OSVersion.Version,
        Cgroups = CgroupLayout.Discover(),
        Bounding = Self.BoundingCapabilities(),
        Permitted = Self.PermittedCapabilities(),
        Known = (2UL << int.Parse(File.ReadAllText("/proc/sys/kernel/cap_last_cap"), CultureInfo.InvariantCulture)) - 1,
        HardLimits = [.. Enumerable.Range(0, LimitCount).Select(Self.HardLimit)],
        OomScoreAdj = int.Parse(File.ReadAllText("/proc/self/oom_score_adj"), CultureInfo.InvariantCulture),
    };
}
