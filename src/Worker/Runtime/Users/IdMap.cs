using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Users;

/// <summary>Translates ids between a user namespace and the host.</summary>
internal static class IdMap
{
    /// <summary>The host's id for one of the container's; an id is itself where nothing is mapped at all.</summary>
    /// <exception cref="RuntimeException">The container has no such id.</exception>
    internal static uint ToHost(ImmutableArray<OciIdMapping> map, uint id, string kind)
    {
        if (map.IsEmpty)
            return id;
        foreach (var range in map)
        {
            if (id >= range.ContainerId && id - range.ContainerId < range.Size)
                return range.HostId + (id - range.ContainerId);
        }
        throw new RuntimeException($"{kind} {id} is not one of the ids that the container's user namespace has: {Text(map)}");
    }

    /// <summary>The container's id for one of the host's; null where it has none.</summary>
    internal static uint? ToContainer(ImmutableArray<OciIdMapping> map, uint id)
    {
        if (map.IsEmpty)
            return id;
        foreach (var range in map)
        {
            if (id >= range.HostId && id - range.HostId < range.Size)
                return range.ContainerId + (id - range.HostId);
        }
        return null;
    }

    /// <summary>As /proc/PID/uid_map takes it: a line for each range.</summary>
    internal static string Text(ImmutableArray<OciIdMapping> map) =>
        string.Join('\n', map.Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.ContainerId} {m.HostId} {m.Size}")));
}
