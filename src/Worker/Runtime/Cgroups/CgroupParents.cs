using System.Collections.Immutable;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>Groups above the containers' own: made when first needed, set up so that what is made below them works.</summary>
internal static class CgroupParents
{
    private const int Busy = 16;

    /// <summary>Makes a v1 group and those above it. An empty cpuset admits nobody, so a new one takes its parent's, and hands it on.</summary>
    internal static void MakeLegacy(string directory)
    {
        if (Directory.Exists(directory))
            return;
        var parent = Path.GetDirectoryName(directory)!;
        MakeLegacy(parent);
        if (KernelFile.MakeDirectory(directory) && File.Exists($"{directory}/cpuset.cpus"))
            KernelFile.Write($"{directory}/cgroup.clone_children", "1");
        FillCpuset(directory);
    }

    /// <summary>
    /// Gives a v1 cpuset group its parent's processors and memory nodes where it has none. Whoever made the parent may not have filled it
    /// yet when a child is made beside it, so every maker fills what it finds empty on its way up; the values are the same for all.
    /// </summary>
    internal static void FillCpuset(string directory)
    {
        foreach (var file in (ReadOnlySpan<string>)["cpuset.cpus", "cpuset.mems"])
        {
            if (KernelFile.ReadOrNull($"{directory}/{file}") is not { } have || have.AsSpan().Trim().Length > 0)
                continue;
            var parent = Path.GetDirectoryName(directory)!;
            FillCpuset(parent);
            KernelFile.Write($"{directory}/{file}", File.ReadAllText($"{parent}/{file}").Trim());
        }
    }

    /// <summary>Makes a v2 group and those above it. All of them hand the controllers down, also those that were there: a parent of the user's may not yet.</summary>
    internal static void MakeUnified(string directory, ImmutableArray<string> controllers)
    {
        var path = new Stack<string>();
        for (var at = directory; File.Exists($"{at}/cgroup.controllers") || !Directory.Exists(at); at = Path.GetDirectoryName(at)!)
            path.Push(at);
        foreach (var at in path)
        {
            KernelFile.MakeDirectory(at);
            HandDown(at, controllers);
        }
    }

    /// <summary>Removes a group and all below it; the refusal when something is still in it.</summary>
    internal static LinuxException? RemoveTree(string directory)
    {
        if (KernelFile.TryRemoveDirectory(directory, out var errno))
            return null;
        try
        {
            foreach (var below in Directory.EnumerateDirectories(directory))
            {
                if (RemoveTree(below) is { } refused)
                    return refused;
            }
        }
        catch (DirectoryNotFoundException)
        {
            return null; // somebody else removed it
        }
        return KernelFile.TryRemoveDirectory(directory, out errno) ? null : new LinuxException($"rmdir {directory}", errno);
    }

    /// <summary>Removes an empty group and those above it that are empty then; the root of a hierarchy and groups in use stay.</summary>
    internal static void RemoveEmpty(string directory)
    {
        for (var at = directory; KernelFile.TryRemoveDirectory(at, out _); at = Path.GetDirectoryName(at)!)
        {
        }
    }

    private static void HandDown(string directory, ImmutableArray<string> controllers)
    {
        if (controllers.IsEmpty)
            return;
        var file = $"{directory}/cgroup.subtree_control";
        var have = (KernelFile.ReadOrNull(file) ?? "").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var more = controllers.Except(have).ToList();
        if (more.Count == 0)
            return;
        try
        {
            KernelFile.Write(file, string.Join(' ', more.Select(c => $"+{c}")));
        }
        catch (LinuxException busy) when (busy.Errno == Busy)
        {
            // cgroup-v2.rst, "no internal process constraint"
            throw new RuntimeException(
                $"The cgroup {directory} has processes of its own, so it cannot hand the controllers {string.Join(", ", more)} down: name a parent that has none.", busy);
        }
    }
}
