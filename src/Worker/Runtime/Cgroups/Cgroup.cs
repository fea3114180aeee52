using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>A container's groups in all hierarchies.</summary>
internal sealed partial class Cgroup
{
    private const int NoEntry = 2;
    private const int Busy = 16;
    private const int Kill9 = 9;
    private static readonly TimeSpan RemoveDeadline = TimeSpan.FromSeconds(10);

    private readonly CgroupPlan plan;

    private Cgroup(CgroupPlan plan) => this.plan = plan;

    /// <summary>Every directory of it.</summary>
    internal IEnumerable<string> Directories => plan.UnifiedDirectory is { } unified ? plan.LegacyDirectories.Append(unified) : plan.LegacyDirectories;

    /// <summary>Where v1 counts memory, if it does.</summary>
    internal string? LegacyMemory => plan.OomCounter is { } file && file.EndsWith("/memory.oom_control", StringComparison.Ordinal) ? Path.GetDirectoryName(file) : null;

    /// <summary>The file that v2 changes when memory runs out, if it counts memory.</summary>
    internal string? UnifiedMemoryEvents => LegacyMemory is null ? plan.OomCounter : null;

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
            {
                MakeFresh(unified, () => CgroupParents.MakeUnified(Path.GetDirectoryName(unified)!, plan.UnifiedControllers));
                CgroupParents.EnsureControllers(unified, plan.UnifiedControllers);
            }
            CgroupRealtime.MakeRoom(plan.Writes);
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

    /// <summary>Everything that runs in the group and below it.</summary>
    internal IReadOnlyList<int> Processes() =>
        (plan.UnifiedDirectory ?? plan.LegacyDirectories.FirstOrDefault()) is { } directory ? [.. ProcessesBelow(directory)] : [];

    /// <summary>A process is in the group itself, in any hierarchy.</summary>
    internal bool HasProcesses() => Directories.Any(d => KernelFile.ReadOrNull($"{d}/cgroup.procs") is { Length: > 0 });

    /// <summary>What it has used, as this host's groups count it.</summary>
    internal CgroupReader Reader(CgroupLayout layout) => new(layout, plan.Path);

    /// <summary>Other limits for what runs.</summary>
    /// <exception cref="RuntimeException">The kernel refused one; all are as they were.</exception>
    internal IReadOnlyList<string> Update(CgroupLayout layout, Spec.OciResources resources)
    {
        var warnings = ImmutableArray.CreateBuilder<string>();
        var writes = CgroupPlan.Change(layout, plan.Path, resources, warnings);
        CgroupRealtime.MakeRoom(writes);
        CgroupChange.Apply(writes);
        return warnings;
    }

    /// <summary>Kills every process of the group.</summary>
    internal void Kill()
    {
        if (plan.UnifiedDirectory is { } unified && File.Exists($"{unified}/cgroup.kill"))
        {
            KernelFile.Write($"{unified}/cgroup.kill", "1"); // kills what is frozen, too
            return;
        }
        foreach (var directory in Directories.Where(Directory.Exists))
            KillBySignals(directory);
        if (LegacyFreezer is not null)
            Thaw(); // v1 keeps a frozen process from dying
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
        foreach (var pid in ProcessesBelow(directory))
            PidFd.Kill(pid, Kill9);
    }

    private static IEnumerable<int> ProcessesBelow(string directory)
    {
        // A group may go away while it is read.
        var own = KernelFile.ReadOrNull($"{directory}/cgroup.procs");
        if (own is null)
            return [];
        string[] below;
        try
        {
            below = Directory.GetDirectories(directory);
        }
        catch (DirectoryNotFoundException)
        {
            below = [];
        }
        return [.. CgroupReader.Pids(own), .. below.SelectMany(ProcessesBelow)];
    }
}
