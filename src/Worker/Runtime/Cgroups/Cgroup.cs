using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>A container's groups in all hierarchies.</summary>
internal sealed class Cgroup
{
    private const int NoEntry = 2;
    private const int Busy = 16;
    private const int Kill9 = 9;
    private static readonly TimeSpan RemoveDeadline = TimeSpan.FromSeconds(10);

    private readonly CgroupPlan plan;

    private Cgroup(CgroupPlan plan) => this.plan = plan;

    /// <summary>Every directory of it.</summary>
    internal IEnumerable<string> Directories => plan.UnifiedDirectory is { } unified ? plan.LegacyDirectories.Append(unified) : plan.LegacyDirectories;

    /// <summary>Makes the directories and writes the limits; on failure nothing is left.</summary>
    internal static Cgroup Create(CgroupPlan plan)
    {
        var cgroup = new Cgroup(plan);
        try
        {
            foreach (var directory in plan.LegacyDirectories)
            {
                MakeFresh(directory, () => CgroupParents.MakeLegacy(Path.GetDirectoryName(directory)!));
                CgroupParents.FillCpuset(directory);
            }
            if (plan.UnifiedDirectory is { } unified)
                MakeFresh(unified, () => CgroupParents.MakeUnified(Path.GetDirectoryName(unified)!, plan.UnifiedControllers));
            foreach (var (file, value) in plan.Writes)
                KernelFile.Write(file, value);
            if (!plan.DeviceProgram.IsEmpty)
                DeviceProgram.Attach(plan.UnifiedDirectory!, plan.DeviceProgram);
            return cgroup;
        }
        catch
        {
            cgroup.RemoveDirectories();
            throw;
        }
    }

    /// <summary>The groups that a plan names, which somebody else made.</summary>
    internal static Cgroup Adopt(CgroupPlan plan) => new(plan);

    /// <summary>Opens the files through which the new process itself joins the v1 groups: <c>tasks</c>, since it has one thread and
    /// <c>cgroup.procs</c> would wait for a grace period of all processors.</summary>
    internal IEnumerable<(string Name, SafeFileHandle File)> OpenJoinFiles()
    {
        foreach (var directory in plan.LegacyDirectories)
            yield return (directory, KernelFile.Open($"{directory}/tasks", KernelFile.WriteOnly));
    }

    /// <summary>The v2 group as a descriptor to clone into.</summary>
    internal SafeFileHandle? OpenUnified() =>
        plan.UnifiedDirectory is { } unified ? KernelFile.Open(unified, KernelFile.PathOnly | KernelFile.Directory) : null;

    /// <summary>How many processes of the group the kernel killed for want of memory.</summary>
    internal long OomKills()
    {
        if (plan.OomCounter is not { } file || KernelFile.ReadOrNull(file) is not { } text)
            return 0;
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith("oom_kill ", StringComparison.Ordinal))
                return long.Parse(line.AsSpan(9), CultureInfo.InvariantCulture);
        }
        return 0;
    }

    /// <summary>Stops or continues every process of the group.</summary>
    internal void Freeze(bool frozen)
    {
        if (plan.UnifiedDirectory is { } unified && File.Exists($"{unified}/cgroup.freeze"))
            KernelFile.Write($"{unified}/cgroup.freeze", frozen ? "1" : "0");
        else if (plan.LegacyDirectories.FirstOrDefault(d => File.Exists($"{d}/freezer.state")) is { } freezer)
            KernelFile.Write($"{freezer}/freezer.state", frozen ? "FROZEN" : "THAWED");
        else
            throw new RuntimeException("This host's cgroups cannot freeze: there is neither cgroup v2 nor a v1 freezer.");
    }

    /// <summary>A process is in the group itself, in any hierarchy.</summary>
    internal bool HasProcesses() => Directories.Any(d => KernelFile.ReadOrNull($"{d}/cgroup.procs") is { Length: > 0 });

    /// <summary>Its processes stand still, or are about to: whoever joined would too.</summary>
    internal bool IsFrozen => plan.UnifiedDirectory is { } unified && KernelFile.ReadOrNull($"{unified}/cgroup.freeze") is { } state
        ? state.StartsWith('1')
        : plan.LegacyDirectories.Any(d => KernelFile.ReadOrNull($"{d}/freezer.state") is { } legacy && !legacy.StartsWith("THAWED", StringComparison.Ordinal));

    /// <summary>Kills every process of the group.</summary>
    internal void Kill()
    {
        if (plan.UnifiedDirectory is { } unified && File.Exists($"{unified}/cgroup.kill"))
        {
            KernelFile.Write($"{unified}/cgroup.kill", "1");
            return;
        }
        foreach (var directory in Directories.Where(Directory.Exists))
            KillBySignals(directory);
    }

    /// <summary>Removes the group with all that was made below it. What still runs in it is killed.</summary>
    internal void Remove()
    {
        var waited = System.Diagnostics.Stopwatch.StartNew();
        var pause = new SpinWait();
        while (RemoveDirectories() is { } refused)
        {
            if (waited.Elapsed > RemoveDeadline)
                throw refused;
            if (refused.Errno == Busy)
                Kill();
            pause.SpinOnce(); // grows to 1 ms: a dead process leaves its group a moment after its status can be collected
        }
    }

    private LinuxException? RemoveDirectories()
    {
        LinuxException? refused = null;
        foreach (var directory in Directories)
            refused = CgroupParents.RemoveTree(directory) ?? refused;
        return refused;
    }

    private static void MakeFresh(string directory, Action makeParents)
    {
        try
        {
            if (!KernelFile.MakeDirectory(directory) && (CgroupParents.RemoveTree(directory) is not null || !KernelFile.MakeDirectory(directory)))
                throw new RuntimeException($"The cgroup {directory} exists and is in use.");
        }
        catch (LinuxException missing) when (missing.Errno == NoEntry)
        {
            makeParents();
            KernelFile.MakeDirectory(directory);
        }
    }

    private static void KillBySignals(string directory)
    {
        foreach (var below in Directory.EnumerateDirectories(directory))
            KillBySignals(below);
        if (KernelFile.ReadOrNull($"{directory}/cgroup.procs") is not { } text)
            return;
        foreach (var pid in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            PidFd.Kill(int.Parse(pid, CultureInfo.InvariantCulture), Kill9);
    }
}
