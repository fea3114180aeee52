using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Unpack;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers.Files;

/// <summary>Writes a file or a directory of a container as a tar, through what is mounted there.</summary>
internal sealed class ArchiveWriter(Stream to, CancellationToken stop)
{
    private readonly TarComposer tar = new(to);
    private readonly Dictionary<(ulong, ulong), string> inodes = [];

    /// <param name="parent">The directory that it is in.</param>
    /// <param name="leaf">Its name there.</param>
    /// <param name="name">Its name in the archive.</param>
    internal void Write(SafeFileHandle parent, string leaf, string name)
    {
        Add(parent, leaf, name);
        tar.Finish();
    }

    private void Add(SafeFileHandle parent, string leaf, string name)
    {
        stop.ThrowIfCancellationRequested();
        if (FileOps.Status(parent, leaf) is not { } status)
            return; // it vanished, as files do where programs run
        var path = $"{FileOps.PathOf(parent)}/{leaf}";
        if (HostEntries.Describe(path, name, status) is not { } entry)
            return;
        if (status.Kind != FileKind.Directory && status.Links > 1 && !inodes.TryAdd((status.Device, status.Inode), name))
        {
            tar.Write(entry with { Kind = TarKind.HardLink, LinkName = inodes[(status.Device, status.Inode)], Size = 0, Xattrs = TarEntry.NoXattrs });
            return;
        }

        if (status.Kind == FileKind.Regular)
        {
            using var file = new FileStream(FileOps.OpenForReading(parent, leaf), FileAccess.Read, 0);
            tar.Write(entry with { Size = file.Length }, file);
            return;
        }

        tar.Write(entry);
        if (status.Kind != FileKind.Directory)
            return;
        using var folder = leaf == "." ? null : FileOps.OpenDirectory(parent, leaf);
        var inner = folder ?? parent;
        foreach (var child in Names(inner))
            Add(inner, child, $"{name}/{child}");
    }

    private static string[] Names(SafeFileHandle folder)
    {
        var names = Array.ConvertAll(Directory.GetFileSystemEntries(FileOps.PathOf(folder) + "/"), p => Path.GetFileName(p));
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }
}
