using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Cgroups;

namespace Orchestrator.Worker.Lab;

/// <summary>
/// The cgroups of a lab, and of each host below them. Whatever runs in a host is in its groups, whoever started it and whether or not it is
/// written down anywhere: so a lab that was half made, or whose file was lost, can be taken away exactly.
/// </summary>
/// <param name="layout">The machine's.</param>
/// <param name="path">Below every hierarchy.</param>
/// <param name="time">For waiting.</param>
internal sealed class LabGroups(CgroupLayout layout, string path, TimeProvider time)
{
    private const string System = "system";
    private const int Kill = 9;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    internal LabGroups(string path, TimeProvider time) : this(CgroupLayout.Discover(), path, time)
    {
    }

    /// <summary>The cgroup file systems of the machine.</summary>
    internal ImmutableArray<CgroupMount> Mounts =>
    [
        .. layout.Legacy.Select(h => new CgroupMount(h.MountPoint, h.Controllers)),
        .. layout.Unified is { } unified ? [new CgroupMount(unified, [])] : (CgroupMount[])[],
    ];

    internal ImmutableArray<string> Legacy => [.. layout.Legacy.Select(h => h.MountPoint + path)];

    internal string? Unified => layout.Unified + path is var unified && layout.Unified is not null ? unified : null;

    internal bool Exist => Roots.Any(Directory.Exists);

    private IEnumerable<string> Roots => Unified is { } unified ? Legacy.Append(unified) : Legacy;

    /// <summary>The groups right below, by name.</summary>
    internal IReadOnlyList<string> Children() =>
        [.. Roots.Where(Directory.Exists).SelectMany(Directory.EnumerateDirectories).Select(d => Path.GetFileName(d)!).Distinct(StringComparer.Ordinal)];

    internal LabGroups Of(string host) => new(layout, $"{path}/{host}", time);

    /// <summary>Makes a host's groups. Its v2 group hands no controllers down before the host has moved below it: who has processes cannot.</summary>
    internal void Make()
    {
        foreach (var group in Legacy)
            CgroupParents.MakeLegacy($"{group}/{System}");
        if (Unified is not { } unified)
            return;
        CgroupParents.MakeUnified(Path.GetDirectoryName(unified)!, layout.UnifiedControllers);
        KernelFile.MakeDirectory(unified);
        KernelFile.MakeDirectory($"{unified}/{System}");
    }

    /// <summary>Where the host begins: its own groups in the v1 hierarchies, by their directories.</summary>
    internal IEnumerable<(string Name, SafeFileHandle File)> OpenOwn() => Legacy.Select(OpenTasks);

    /// <summary>Where everything in the host that is no container goes; the v2 group only when asked for: a fork can be born into it.</summary>
    internal IEnumerable<(string Name, SafeFileHandle File)> OpenSystem(bool unified)
    {
        foreach (var group in Legacy)
            yield return OpenTasks($"{group}/{System}");
        if (unified && Unified is { } v2)
            yield return ($"{v2}/{System}", KernelFile.Open($"{v2}/{System}/cgroup.procs", KernelFile.WriteOnly));
    }

    internal SafeFileHandle? OpenUnified(bool system) =>
        Unified is { } unified ? KernelFile.Open(system ? $"{unified}/{System}" : unified, KernelFile.PathOnly | KernelFile.Directory) : null;

    /// <summary>Every process in them.</summary>
    internal IReadOnlyList<int> Processes() => [.. Roots.Where(Directory.Exists).SelectMany(Below).Distinct()];

    /// <summary>Ends every process in them and removes them; what stays is told with its reason.</summary>
    internal async Task<IReadOnlyList<string>> RemoveAsync(CancellationToken stop)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            foreach (var pid in Processes())
                PidFd.Kill(pid, Kill);
            var refusals = Roots.Select(CgroupParents.RemoveTree).OfType<LinuxException>().ToList();
            if (refusals.Count == 0)
                return [];
            if (time.GetElapsedTime(began) > Patience)
                return [.. refusals.Select(r => r.Message)];
            await Task.Delay(TimeSpan.FromMilliseconds(5), time, stop); // a killed process leaves its group when it is collected
        }
    }

    private static (string, SafeFileHandle) OpenTasks(string group) => (group, KernelFile.Open($"{group}/tasks", KernelFile.WriteOnly));

    private static IEnumerable<int> Below(string group)
    {
        string[] below;
        try
        {
            below = Directory.GetDirectories(group);
        }
        catch (DirectoryNotFoundException)
        {
            return []; // groups come and go
        }

        var own = (KernelFile.ReadOrNull($"{group}/cgroup.procs") ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return own.Select(p => int.Parse(p, CultureInfo.InvariantCulture)).Where(p => p > 0).Concat(below.SelectMany(Below));
    }
}
