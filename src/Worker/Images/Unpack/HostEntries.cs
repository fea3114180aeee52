using System.Collections.Immutable;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Images.Unpack;

/// <summary>Tar entries for files on disk.</summary>
internal static class HostEntries
{
    /// <summary>Describes a file; null for a socket, which no tar can hold.</summary>
    internal static TarEntry? Describe(string hostPath, string name, FileStatus status)
    {
        TarKind? kind = status.Kind switch
        {
            FileKind.Regular => TarKind.Regular,
            FileKind.Directory => TarKind.Directory,
            FileKind.Symlink => TarKind.Symlink,
            FileKind.Character => TarKind.Character,
            FileKind.Block => TarKind.Block,
            FileKind.Fifo => TarKind.Fifo,
            _ => null,
        };
        return kind is null ? null : new()
        {
            Name = kind == TarKind.Directory ? name + "/" : name,
            Kind = kind.Value,
            LinkName = kind == TarKind.Symlink ? FileOps.ReadLink(hostPath) : "",
            Mode = status.Permissions,
            Uid = status.Uid,
            Gid = status.Gid,
            Size = kind == TarKind.Regular ? status.Size : 0,
            ModifiedSeconds = status.ModifiedSeconds,
            ModifiedNanoseconds = status.ModifiedNanoseconds,
            DeviceMajor = status.Major,
            DeviceMinor = status.Minor,
            Xattrs = Xattrs(hostPath),
        };
    }

    // What belongs to the file; trusted.overlay.* is overlayfs's bookkeeping and security labels other than capabilities are this host's.
    private static ImmutableSortedDictionary<string, ImmutableArray<byte>> Xattrs(string path)
    {
        var names = ExtendedAttributes.List(path);
        if (names.Length == 0)
            return TarEntry.NoXattrs;
        var found = TarEntry.NoXattrs.ToBuilder();
        foreach (var name in names.Where(n => n == "security.capability" || n.StartsWith("user.", StringComparison.Ordinal)))
        {
            if (ExtendedAttributes.Get(path, name) is { } value)
                found[name] = [.. value];
        }
        return found.ToImmutable();
    }
}
