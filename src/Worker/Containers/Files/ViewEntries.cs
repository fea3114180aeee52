using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Unpack;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers.Files;

/// <summary>A part of a layered tree as tar entries: parents first, later names of one inode as hard links to its first.</summary>
internal static class ViewEntries
{
    /// <param name="top">Where to begin.</param>
    /// <param name="name">What it is called in the archive; empty: it is the archive's root.</param>
    internal static IEnumerable<(TarEntry Entry, string HostPath)> Of(ViewNode top, string name) => Of(top, name, []);

    private static IEnumerable<(TarEntry, string)> Of(ViewNode node, string name, Dictionary<(ulong, ulong), string> inodes)
    {
        if (HostEntries.Describe(node.HostPath, name, node.Status) is not { } entry)
            yield break;
        if (node.Status is { Links: > 1, Kind: not FileKind.Directory } && !inodes.TryAdd((node.Status.Device, node.Status.Inode), name))
        {
            yield return (entry with { Kind = TarKind.HardLink, LinkName = inodes[(node.Status.Device, node.Status.Inode)], Size = 0, Xattrs = TarEntry.NoXattrs }, node.HostPath);
            yield break;
        }

        yield return (entry, node.HostPath);
        if (node.Status.Kind != FileKind.Directory)
            yield break;
        foreach (var child in LayeredView.List(node))
        {
            if (LayeredView.Child(node, child) is not { } below)
                continue;
            foreach (var inner in Of(below, name.Length == 0 ? child : $"{name}/{child}", inodes))
                yield return inner;
        }
    }
}
