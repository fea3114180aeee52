using System.Collections.Immutable;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Files;

/// <summary>Owners as a container sees them, where a user namespace gave it others on the host.</summary>
/// <param name="remap">Null: the two are the same.</param>
internal sealed class SeenIds(UserRemap? remap)
{
    /// <summary>An owner outside of the container's range is an image's own, which is seen as it is.</summary>
    internal TarEntry Seen(TarEntry entry) => remap is null ? entry : entry with { Uid = Seen(entry.Uid, remap.Uids), Gid = Seen(entry.Gid, remap.Gids) };

    internal FileStatus Seen(FileStatus status) => remap is null ? status : status with { Uid = Seen(status.Uid, remap.Uids), Gid = Seen(status.Gid, remap.Gids) };

    internal (uint Uid, uint Gid) OnHost(uint uid, uint gid) => remap is null ? (uid, gid) : (OnHost(uid, remap.Uids), OnHost(gid, remap.Gids));

    private static uint Seen(uint id, ImmutableArray<OciIdMapping> ranges)
    {
        foreach (var range in ranges)
        {
            if (id >= range.HostId && id - range.HostId < range.Size)
                return (uint)(range.ContainerId + (id - range.HostId));
        }

        return id;
    }

    private static uint OnHost(uint id, ImmutableArray<OciIdMapping> ranges)
    {
        foreach (var range in ranges)
        {
            if (id >= range.ContainerId && id - range.ContainerId < range.Size)
                return (uint)(range.HostId + (id - range.ContainerId));
        }

        throw new InvalidContainerException("path", $"the owner {id} is outside of the container's user namespace");
    }
}
