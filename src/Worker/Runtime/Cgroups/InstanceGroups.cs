using System.Globalization;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>All cgroups of one instance, whoever made them and whether or not he still lives.</summary>
internal sealed class InstanceGroups(CgroupLayout layout, string root, TimeProvider time)
{
    private const int Kill = 9;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    private readonly string[] places = [.. Mounts(layout).SelectMany(mount => Find(mount, Path.GetFileName(root)).Prepend(mount + root)).Distinct()];

    private IEnumerable<string> Directories => places.Where(Directory.Exists);

    /// <summary>The instance's groups as paths below every hierarchy: its own, and those below parents that containers named.</summary>
    internal static IReadOnlyList<string> PlacesOf(CgroupLayout layout, string root) =>
        [.. Mounts(layout).SelectMany(mount => Find(mount, Path.GetFileName(root)).Select(directory => directory[mount.Length..])).Append(root).Distinct(StringComparer.Ordinal)];

    /// <summary>
    /// Every directory of one hierarchy that bears the instance's name: containers with a parent of their own stand below that parent.
    /// </summary>
    internal static IEnumerable<string> Find(string mount, string name)
    {
        string[] below;
        try
        {
            below = Directory.GetDirectories(mount);
        }
        catch (DirectoryNotFoundException)
        {
            return []; // groups come and go
        }
        return below.SelectMany(directory => Path.GetFileName(directory) == name ? [directory] : Find(directory, name));
    }

    /// <summary>Kills every process in them and removes them; what stays is told with its reason.</summary>
    internal async Task<IReadOnlyList<string>> RemoveAsync(CancellationToken stop)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            foreach (var directory in Directories)
                KillAll(directory);
            var refusals = Directories.Select(CgroupParents.RemoveTree).OfType<LinuxException>().ToList();
            if (refusals.Count == 0)
            {
                foreach (var mount in Mounts(layout))
                    CgroupParents.RemoveEmpty(Path.GetDirectoryName(mount + root)!);
                return [];
            }

            if (time.GetElapsedTime(began) > Patience)
                return [.. refusals.Select(r => r.Message)];
            await Task.Delay(Look, time, stop); // a killed process leaves its group when it is collected
        }
    }

    private static IEnumerable<string> Mounts(CgroupLayout layout) => layout.Legacy.Select(h => h.MountPoint).Append(layout.Unified).OfType<string>();

    private static void KillAll(string directory)
    {
        foreach (var below in Directory.EnumerateDirectories(directory))
            KillAll(below);
        if (KernelFile.ReadOrNull($"{directory}/cgroup.procs") is not { } text)
            return;
        foreach (var pid in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            PidFd.Kill(int.Parse(pid, CultureInfo.InvariantCulture), Kill);
    }
}
