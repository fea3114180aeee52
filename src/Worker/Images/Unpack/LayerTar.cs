using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Images.Unpack;

/// <summary>
/// An overlay's upper directory as a layer's tar: parents before children, names in ordinal order, whiteout devices and opaque directories as
/// <c>.wh.</c> files, later names of one inode as hard links to its first.
/// </summary>
internal static class LayerTar
{
    /// <summary>Writes the tar, without the paths that are skipped; answers how many entries it has.</summary>
    internal static int Write(string upper, Stream to, CancellationToken stop, Func<string, bool>? skip = null)
    {
        var tar = new TarComposer(to);
        var inodes = new Dictionary<ulong, string>();
        var count = 0;
        foreach (var (name, path, status) in Tree(upper, "", skip))
        {
            stop.ThrowIfCancellationRequested();
            if (status is { Kind: FileKind.Character, Major: 0, Minor: 0 })
            {
                var (parent, leaf) = EntryPath.Split(name);
                tar.Write(Marker(Under(parent, Whiteouts.Prefix + leaf), status));
                count++;
                continue;
            }
            if (HostEntries.Describe(path, name, status) is not { } entry)
                continue;
            RefuseRedirect(path, name);
            count++;
            if (status.Kind != FileKind.Directory && status.Links > 1 && !inodes.TryAdd(status.Inode, name))
            {
                tar.Write(entry with { Kind = TarKind.HardLink, LinkName = inodes[status.Inode], Size = 0, Xattrs = TarEntry.NoXattrs });
                continue;
            }
            using var content = entry.Size > 0 ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 0) : null;
            tar.Write(entry, content);
            if (status.Kind == FileKind.Directory && ExtendedAttributes.Get(path, Whiteouts.OpaqueXattr) is [(byte)'y'])
                tar.Write(Marker(Under(name, Whiteouts.OpaqueName), status));
        }
        tar.Finish();
        return count;
    }

    // With redirect_dir or metacopy the upper directory is not the whole difference; a layer written from it would lose files.
    private static void RefuseRedirect(string path, string name)
    {
        foreach (var attribute in (ReadOnlySpan<string>)["trusted.overlay.redirect", "trusted.overlay.metacopy"])
        {
            if (ExtendedAttributes.Get(path, attribute) is not null)
                throw new IOException($"{name} carries {attribute}: the overlay must be mounted with redirect_dir=off,metacopy=off to become a layer");
        }
    }

    private static IEnumerable<(string Name, string Path, FileStatus Status)> Tree(string folder, string prefix, Func<string, bool>? skip)
    {
        var names = Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).ToArray();
        Array.Sort(names, StringComparer.Ordinal);
        foreach (var name in names)
        {
            var path = $"{folder}/{name}";
            var status = FileOps.Status(path) ?? throw new IOException($"{path} vanished while its layer was being written");
            var full = Under(prefix, name!);
            if (skip is not null && skip(full))
                continue;
            yield return (full, path, status);
            if (status.Kind != FileKind.Directory)
                continue;
            foreach (var below in Tree(path, full, skip))
                yield return below;
        }
    }

    private static TarEntry Marker(string name, FileStatus status) =>
        new() { Name = name, Kind = TarKind.Regular, ModifiedSeconds = status.ModifiedSeconds };

    private static string Under(string parent, string leaf) => parent.Length == 0 ? leaf : $"{parent}/{leaf}";
}
