using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Unpack;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers.Files;

/// <summary>How an archive is unpacked into a container.</summary>
internal sealed record ExtractOptions
{
    /// <summary>A directory is not replaced by something else, nor something else by a directory.</summary>
    public bool KeepKinds { get; init; }

    /// <summary>Everything belongs to them; null: as the archive says.</summary>
    public (uint Uid, uint Gid)? Owner { get; init; }

    /// <summary>Gives the owners that the container sees the numbers they have on the host.</summary>
    public SeenIds Ids { get; init; } = new(null);

    /// <summary>Only what is on this device bears the host's numbers: the volumes of a container that does not run are not mapped. Null: everything.</summary>
    public ulong? MappedDevice { get; init; }

    /// <summary>Everything belongs to whoever unpacks it, and attributes that only root may set are left out.</summary>
    public bool OwnerIsCaller { get; init; }

    /// <summary>Another name for the first component of every entry's; null: as the archive says.</summary>
    public string? TopName { get; init; }
}

/// <summary>Unpacks a tar below a directory of a container; names and links are followed as the container would follow them.</summary>
internal sealed class ArchiveReader(RootedPaths paths, string into, ExtractOptions options) : IDisposable
{
    private readonly List<(string Path, TarEntry Entry)> directories = [];
    private readonly byte[] buffer = new byte[128 * 1024];
    private readonly ParentFolders parents = new(paths.Directory, Nowhere);

    internal void Read(TarScanner tar, CancellationToken stop)
    {
        while (tar.Next() is { } entry)
        {
            stop.ThrowIfCancellationRequested();
            var name = Renamed(EntryPath.Clean(entry.Name));
            if (name.Length > 0) // the archive's own root is the directory that is there
                Put(name, entry, tar.Content);
        }

        // Their children changed them.
        for (var i = directories.Count - 1; i >= 0; i--)
        {
            var (path, entry) = directories[i];
            using var parent = paths.Parent(path, out var leaf);
            if (parent is not null && FileOps.Status(parent, leaf) is { Kind: FileKind.Directory })
                FileOps.ChangeTime(parent, leaf, entry.ModifiedSeconds, entry.ModifiedNanoseconds);
        }
    }

    private string Renamed(string name)
    {
        if (options.TopName is not { } top || name.Length == 0)
            return name;
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? top : top + name[slash..];
    }

    private void Put(string name, TarEntry entry, Stream content)
    {
        var path = into.Length == 0 ? name : $"{into}/{name}";
        var (parentPath, leaf) = EntryPath.Split(path);
        var parent = parents.Open(parentPath);
        Clear(parent, leaf, path, entry);
        switch (entry.Kind)
        {
            case TarKind.Regular:
                WriteFile(parent, leaf, content);
                break;
            case TarKind.Directory:
                if (FileOps.Status(parent, leaf) is null)
                    FileOps.MakeDirectory(parent, leaf, 0x1c0);
                directories.Add((path, entry));
                break;
            case TarKind.Symlink:
                FileOps.MakeSymlink(entry.LinkName, parent, leaf);
                break;
            case TarKind.HardLink:
                Link(parent, leaf, entry);
                return;
            default:
                FileOps.MakeNode(parent, leaf, (uint)Kind(entry.Kind) | 0x180, entry.DeviceMajor, entry.DeviceMinor);
                break;
        }

        Describe(parent, leaf, entry);
    }

    private static FileKind Kind(TarKind kind) => kind switch
    {
        TarKind.Character => FileKind.Character,
        TarKind.Block => FileKind.Block,
        TarKind.Fifo => FileKind.Fifo,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private void WriteFile(SafeFileHandle parent, string leaf, Stream content)
    {
        using var file = FileOps.CreateFile(parent, leaf, 0x180);
        var offset = 0L;
        for (int read; (read = content.Read(buffer)) > 0; offset += read)
            RandomAccess.Write(file, buffer.AsSpan(0, read), offset);
    }

    private void Link(SafeFileHandle parent, string leaf, TarEntry entry)
    {
        var target = Renamed(EntryPath.Clean(entry.LinkName));
        using var from = paths.Parent(into.Length == 0 ? target : $"{into}/{target}", out var targetLeaf);
        if (from is null || FileOps.Status(from, targetLeaf) is not { Kind: not FileKind.Directory })
            throw new InvalidContainerException("path", $"the archive links {entry.Name} to {entry.LinkName}, which is no file in it");
        FileOps.MakeHardLink(from, targetLeaf, parent, leaf);
    }

    /// <summary>Owner first: chown takes set-id bits and capabilities away.</summary>
    private void Describe(SafeFileHandle parent, string leaf, TarEntry entry)
    {
        var (uid, gid) = options.Owner ?? (entry.Uid, entry.Gid);
        if (!options.OwnerIsCaller)
        {
            if (options.MappedDevice is not { } mapped || FileOps.Status(parent, ".")?.Device == mapped)
                (uid, gid) = options.Ids.OnHost(uid, gid);
            FileOps.ChangeOwner(parent, leaf, uid, gid);
        }

        if (entry.Kind != TarKind.Symlink)
            FileOps.ChangeMode(parent, leaf, entry.Mode);
        foreach (var (name, value) in entry.Xattrs.Where(x => options.OwnerIsCaller ? x.Key.StartsWith("user.", StringComparison.Ordinal) : !x.Key.StartsWith("trusted.", StringComparison.Ordinal)))
            ExtendedAttributes.SetIfKept(parent, leaf, name, value.AsSpan());
        FileOps.ChangeTime(parent, leaf, entry.ModifiedSeconds, entry.ModifiedNanoseconds);
    }

    private void Clear(SafeFileHandle parent, string leaf, string path, TarEntry entry)
    {
        if (FileOps.Status(parent, leaf) is not { } old)
            return;
        var (was, comes) = (old.Kind == FileKind.Directory, entry.Kind == TarKind.Directory);
        if (was && comes)
            return;
        if (options.KeepKinds && was != comes)
        {
            throw new InvalidContainerException("path", was
                ? $"cannot overwrite directory \"/{path}\" with non-directory \"{entry.Name}\""
                : $"cannot overwrite non-directory \"/{path}\" with directory \"{entry.Name}\"");
        }

        if (was)
            Directory.Delete($"{FileOps.PathOf(parent)}/{leaf}", recursive: true);
        else
            FileOps.RemoveFile(parent, leaf);
    }

    private static InvalidContainerException Nowhere(string path) => new("path", $"/{path} is no directory of the container: nothing can be put below it");

    public void Dispose() => parents.Dispose();
}
