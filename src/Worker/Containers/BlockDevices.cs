using System.Collections.Immutable;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers;

/// <summary>The numbers of the block devices whose use a container limits.</summary>
internal static class BlockDevices
{
    /// <exception cref="InvalidContainerException">A node is not there, or is no block device.</exception>
    internal static ImmutableDictionary<string, (uint Major, uint Minor)> Find(HostConfig host)
    {
        var numbers = ImmutableDictionary.CreateBuilder<string, (uint, uint)>(StringComparer.Ordinal);
        var problems = new List<Problem>();
        foreach (var (field, path) in IoLimitPlan.Devices(host))
        {
            if (Resolved(path) is { Kind: FileKind.Block } device)
                numbers[path] = (device.Major, device.Minor);
            else
                problems.Add(new Problem("HostConfig." + field, Path.Exists(path) ? $"{path} is no block device" : $"there is no device {path}"));
        }
        return problems.Count == 0 ? numbers.ToImmutable() : throw new InvalidContainerException(problems);
    }

    /// <summary>Names below /dev/disk are links.</summary>
    private static FileStatus? Resolved(string path) =>
        Path.Exists(path) ? FileOps.Status(new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path) : null;
}
