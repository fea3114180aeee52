using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>
/// Real-time runtime in the groups above a container's (Documentation/scheduler/sched-rt-group.rst): a group may give out what it has,
/// and a new one has none.
/// </summary>
internal static class CgroupRealtime
{
    private const string Runtime = "cpu.rt_runtime_us";
    private const string Period = "cpu.rt_period_us";

    /// <summary>Gives each ancestor but the root the share that its children need once the writes are done.</summary>
    internal static void MakeRoom(ImmutableArray<CgroupWrite> writes)
    {
        foreach (var write in writes.Where(w => w.File.EndsWith("/" + Runtime, StringComparison.Ordinal)))
        {
            var group = Path.GetDirectoryName(write.File)!;
            var period = CgroupTexts.Number(writes.FirstOrDefault(w => w.File == $"{group}/{Period}").Value) ?? Number(group, Period);
            var more = (decimal)(CgroupTexts.Number(write.Value) ?? 0) / Math.Max(1, period) - Share(group);
            if (more <= 0)
                continue;
            var ancestors = new Stack<string>();
            for (var at = Path.GetDirectoryName(group)!; File.Exists($"{Path.GetDirectoryName(at)}/{Runtime}"); at = Path.GetDirectoryName(at)!)
                ancestors.Push(at);
            foreach (var ancestor in ancestors)
            {
                var needed = Directory.EnumerateDirectories(ancestor).Sum(Share) + more;
                if (needed > Share(ancestor))
                    KernelFile.Write($"{ancestor}/{Runtime}", decimal.Ceiling(needed * Number(ancestor, Period)).ToString(CultureInfo.InvariantCulture));
            }
        }
    }

    /// <summary>Of one processor; the kernel compares shares, since periods may differ.</summary>
    private static decimal Share(string group) => (decimal)Number(group, Runtime) / Math.Max(1, Number(group, Period));

    private static long Number(string group, string file) => CgroupTexts.Number(KernelFile.ReadOrNull($"{group}/{file}")) ?? 0;
}
