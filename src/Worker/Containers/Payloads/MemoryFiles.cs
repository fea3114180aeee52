using System.Collections.Immutable;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Payloads;

/// <summary>
/// A container's files on a file system in memory that is never swapped out, for as long as the container is started. Disposed, it is gone
/// from the host; the container has its files mounted and keeps them until it ends.
/// </summary>
internal sealed class MemoryFiles : IDisposable
{
    private const ulong OwnerOnly = 0x1c0; // 0700
    private readonly string? mounted;

    private MemoryFiles(string? mounted, ImmutableArray<OciMount> mounts)
    {
        this.mounted = mounted;
        Mounts = mounts;
    }

    internal static MemoryFiles None { get; } = new(null, []);

    /// <summary>The files as read-only mounts of the container.</summary>
    internal ImmutableArray<OciMount> Mounts { get; }

    /// <param name="root">Where such file systems are mounted; made if missing.</param>
    /// <param name="id">The container.</param>
    /// <param name="files">What it gets.</param>
    /// <param name="remap">The container's ids, by which its files' owners are meant.</param>
    internal static MemoryFiles Make(string root, string id, ContainerFiles files, UserRemap? remap)
    {
        if (files.Files.IsEmpty)
            return None;
        var directory = Path.Combine(root, id);
        // Only root looks in: the files' own modes are the container's.
        Directory.CreateDirectory(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(directory);
        var size = files.Files.Sum(f => ((long)f.Bytes.Length | 4095) + 1) + (64 << 10);
        Linux.Mounts.MountMemory(directory, size, OwnerOnly);
        var made = new MemoryFiles(
            directory,
            [
                .. files.Files.Select((f, i) => new OciMount
                {
                    Destination = f.Target,
                    Source = Path.Combine(directory, Name(i)),
                    Type = "bind",
                    Options = ["bind", "rprivate", "ro", "nosuid", "nodev", "noexec"],
                }),
            ]);
        try
        {
            using var parent = FileOps.OpenDirectory(directory);
            for (var i = 0; i < files.Files.Length; i++)
            {
                var file = files.Files[i];
                using var handle = FileOps.CreateFile(parent, Name(i), 0x180); // 0600 until it is whole
                RandomAccess.Write(handle, file.Bytes.Span, 0);
                FileOps.ChangeOwner(parent, Name(i), OnHost(file.Uid, remap?.Uids), OnHost(file.Gid, remap?.Gids));
                FileOps.ChangeMode(parent, Name(i), file.Mode);
            }
        }
        catch
        {
            made.Dispose();
            throw;
        }

        return made;
    }

    /// <summary>Takes away what a daemon that crashed in between has left; containers that run keep theirs.</summary>
    internal static void Clean(string root)
    {
        if (!Directory.Exists(root))
            return;
        foreach (var point in Linux.Mounts.Below(root).Where(p => p != root))
            Linux.Mounts.Unmount(point);
        foreach (var left in Directory.EnumerateDirectories(root))
            Directory.Delete(left);
    }

    public void Dispose()
    {
        if (mounted is null)
            return;
        Linux.Mounts.Unmount(mounted);
        Directory.Delete(mounted);
    }

    /// <summary>The host's id: ramfs cannot be mounted with ids mapped, so the files have their owners' real ones.</summary>
    private static uint OnHost(uint id, ImmutableArray<OciIdMapping>? map)
    {
        if (map is not { } mappings)
            return id;
        foreach (var mapping in mappings)
        {
            if (id >= mapping.ContainerId && id - mapping.ContainerId < mapping.Size)
                return mapping.HostId + (id - mapping.ContainerId);
        }

        throw new IOException($"the owner {id} of a secret or config is none of the ids that the container's user namespace has");
    }

    private static string Name(int index) => index.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
