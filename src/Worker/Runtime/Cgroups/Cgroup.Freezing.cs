using System.Diagnostics;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>How a container stands still: <c>cgroup.freeze</c> of v2, else the v1 freezer.</summary>
internal sealed partial class Cgroup
{
    private static readonly TimeSpan FreezeDeadline = TimeSpan.FromSeconds(10);

    private string? UnifiedFreezer => plan.UnifiedDirectory is { } unified && File.Exists($"{unified}/cgroup.freeze") ? unified : null;

    private string? LegacyFreezer => plan.LegacyDirectories.FirstOrDefault(d => File.Exists($"{d}/freezer.state"));

    /// <summary>Somebody asked for the group to stand still, and nobody has taken it back.</summary>
    internal bool IsFrozen => plan.UnifiedDirectory is { } unified && KernelFile.ReadOrNull($"{unified}/cgroup.freeze") is { } state
        ? state.Trim() == "1"
        : LegacyFreezer is { } legacy && KernelFile.ReadOrNull($"{legacy}/freezer.self_freezing")?.Trim() == "1";

    /// <summary>Stops every process of the group, and returns when all stand still; one that does not in time lets all of them go again.</summary>
    internal void Freeze()
    {
        var waited = Stopwatch.StartNew();
        var pause = new SpinWait();
        do
        {
            // Written again and again for v1, whose freezer gives up on a group whose tasks fork meanwhile (freezer-subsystem.rst).
            WriteFreezer(frozen: true);
            if (StandsStill())
                return;
            pause.SpinOnce();
        }
        while (waited.Elapsed < FreezeDeadline);
        WriteFreezer(frozen: false);
        throw new RuntimeException($"The processes did not stand still within {FreezeDeadline.TotalSeconds:0} s; they run on.");
    }

    /// <summary>Lets the processes go on.</summary>
    internal void Thaw() => WriteFreezer(frozen: false);

    private bool StandsStill() => UnifiedFreezer is { } unified
        ? (KernelFile.ReadOrNull($"{unified}/cgroup.events") ?? "").Contains("frozen 1", StringComparison.Ordinal)
        : LegacyFreezer is { } legacy && KernelFile.ReadOrNull($"{legacy}/freezer.state")?.Trim() == "FROZEN";

    private void WriteFreezer(bool frozen)
    {
        if (UnifiedFreezer is { } unified)
            KernelFile.Write($"{unified}/cgroup.freeze", frozen ? "1" : "0");
        else if (LegacyFreezer is { } legacy)
            KernelFile.Write($"{legacy}/freezer.state", frozen ? "FROZEN" : "THAWED");
        else
            throw new RuntimeException("This host's cgroups cannot freeze: there is neither cgroup v2 nor a v1 freezer.");
    }
}
