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

    /// <summary>Gives each ancestor but the root what its children need once the writes are done.</summary>
    internal static void MakeRoom(ImmutableArray<CgroupWrite> writes)
    {
        foreach (var write in writes.Where(w => w.File.EndsWith("/" + Runtime, StringComparison.Ordinal)))
        {
            if (CgroupTexts.Number(write.Value) is not { } wanted || wanted <= 0)
                continue;
            var group = Path.GetDirectoryName(write.File)!;
            var ancestors = new Stack<string>();
            for (var at = Path.GetDirectoryName(group)!; File.Exists($"{Path.GetDirectoryName(at)}/{Runtime}"); at = Path.GetDirectoryName(at)!)
                ancestors.Push(at);
            var more = wanted - Of(group);
            foreach (var ancestor in ancestors)
            {
                var given = Directory.EnumerateDirectories(ancestor).Sum(Of);
                if (more > 0 && given + more > Of(ancestor))
                    KernelFile.Write($"{ancestor}/{Runtime}", (given + more).ToString(CultureInfo.InvariantCulture));
            }
        }
    }

    private static long Of(string group) => CgroupTexts.Number(KernelFile.ReadOrNull($"{group}/{Runtime}")) ?? 0;
}
