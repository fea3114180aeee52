using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Images.Unpack;

/// <summary>
/// Writes the entries of a tar below one directory as overlayfs wants a lower layer. Every path is resolved with the directory as root
/// (openat2 RESOLVE_IN_ROOT), so no name and no link, absolute or not, reaches outside.
/// </summary>
internal sealed class LayerUnpacker : IDisposable
{
    private readonly WhiteoutUse _whiteouts;
    private readonly SafeFileHandle _root;
    private readonly ParentFolders _parents;
    private readonly List<TarEntry> _directories = [];
    private readonly byte[] _buffer = new byte[128 * 1024];

    internal LayerUnpacker(string directory, WhiteoutUse whiteouts)
    {
        _whiteouts = whiteouts;
        _root = FileOps.OpenDirectory(directory);
        _parents = new(path => FileOps.FindDirectoryInRoot(_root, path), Nowhere);
    }

    /// <summary>Bytes of regular files written so far.</summary>
    internal long Size { get; private set; }

    /// <summary>Unpacks all that <paramref name="tar"/> holds.</summary>
    internal void Unpack(TarScanner tar, CancellationToken stop)
    {
        while (tar.Next() is { } entry)
        {
            stop.ThrowIfCancellationRequested();
            try
            {
                Apply(entry, tar.Content);
            }
            catch (LinuxException e)
            {
                throw ImageException.Bad($"cannot unpack {entry.Name}: {e.Message}", e);
            }
        }
        Finish();
    }

    /// <summary>Sets the directories' times, which their children changed.</summary>
    internal void Finish()
    {
        for (var i = _directories.Count - 1; i >= 0; i--)
        {
            var entry = _directories[i];
            var (parent, leaf) = EntryPath.Split(entry.Name);
            if (leaf.Length == 0)
                leaf = ".";
            var handle = _parents.Open(parent);
            // A later entry may have put something else in its place.
            if (FileOps.Status(handle, leaf) is { Kind: FileKind.Directory })
                FileOps.ChangeTime(handle, leaf, entry.ModifiedSeconds, entry.ModifiedNanoseconds);
        }
        _directories.Clear();
    }

    /// <summary>Writes one entry; <see cref="Finish"/> comes after the last.</summary>
    internal void Apply(TarEntry entry, Stream content)
    {
        var path = EntryPath.Clean(entry.Name);
        if (path.Length == 0)
        {
            if (entry.Kind != TarKind.Directory)
                throw ImageException.Bad($"the archive has a root that is not a directory: \"{entry.Name}\"");
            Describe(_root, ".", entry);
            _directories.Add(entry with { Name = "" });
            return;
        }
        var (parentPath, leaf) = EntryPath.Split(path);
        var parent = _parents.Open(parentPath);
        if (_whiteouts == WhiteoutUse.Convert && Whiteouts.Of(leaf) is { Kind: not WhiteoutKind.None } whiteout)
        {
            Hide(parent, whiteout.Kind, whiteout.Hidden);
            return;
        }
        Clear(parent, leaf, entry.Kind);
        Create(parent, leaf, entry, content);
        if (entry.Kind == TarKind.HardLink)
            return;
        Describe(parent, leaf, entry);
        if (entry.Kind == TarKind.Directory)
            _directories.Add(entry with { Name = path });
    }

    private static void Hide(SafeFileHandle parent, WhiteoutKind kind, string hidden)
    {
        if (kind == WhiteoutKind.Opaque)
            ExtendedAttributes.Set(parent, ".", Whiteouts.OpaqueXattr, "y"u8);
        else if (kind == WhiteoutKind.Hides && FileOps.Status(parent, hidden) is null)
            FileOps.MakeNode(parent, hidden, (uint)FileKind.Character, 0, 0);
    }

    private void Create(SafeFileHandle parent, string leaf, TarEntry entry, Stream content)
    {
        switch (entry.Kind)
        {
            case TarKind.Regular:
                WriteFile(parent, leaf, content);
                break;
            case TarKind.Directory:
                if (FileOps.Status(parent, leaf) is null)
                    FileOps.MakeDirectory(parent, leaf, 0x1c0);
                break;
            case TarKind.Symlink:
                FileOps.MakeSymlink(entry.LinkName, parent, leaf);
                break;
            case TarKind.HardLink:
                Link(parent, leaf, entry);
                break;
            case TarKind.Character:
                FileOps.MakeNode(parent, leaf, (uint)FileKind.Character | 0x180, entry.DeviceMajor, entry.DeviceMinor);
                break;
            case TarKind.Block:
                FileOps.MakeNode(parent, leaf, (uint)FileKind.Block | 0x180, entry.DeviceMajor, entry.DeviceMinor);
                break;
            case TarKind.Fifo:
                FileOps.MakeNode(parent, leaf, (uint)FileKind.Fifo | 0x180, 0, 0);
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private void WriteFile(SafeFileHandle parent, string leaf, Stream content)
    {
        using var file = FileOps.CreateFile(parent, leaf, 0x180);
        var offset = 0L;
        for (int read; (read = content.Read(_buffer)) > 0; offset += read)
            RandomAccess.Write(file, _buffer.AsSpan(0, read), offset);
        Size += offset;
    }

    private void Link(SafeFileHandle parent, string leaf, TarEntry entry)
    {
        var (targetParent, targetLeaf) = EntryPath.Split(EntryPath.Clean(entry.LinkName));
        using var from = FileOps.FindDirectoryInRoot(_root, targetParent);
        if (from is null || targetLeaf.Length == 0 || FileOps.Status(from, targetLeaf) is not { } target)
            throw ImageException.Bad($"the archive links {entry.Name} to {entry.LinkName}, which it does not hold");
        if (target.Kind == FileKind.Directory)
            throw ImageException.Bad($"the archive links {entry.Name} to the directory {entry.LinkName}");
        FileOps.MakeHardLink(from, targetLeaf, parent, leaf);
    }

    /// <summary>Owner first: chown takes set-id bits and capabilities away.</summary>
    private static void Describe(SafeFileHandle parent, string leaf, TarEntry entry)
    {
        FileOps.ChangeOwner(parent, leaf, entry.Uid, entry.Gid);
        if (entry.Kind != TarKind.Symlink)
            FileOps.ChangeMode(parent, leaf, entry.Mode);
        foreach (var (name, value) in entry.Xattrs)
        {
            // Overlayfs's own would let a layer redirect directories; only whiteouts may speak to it.
            if (!name.StartsWith("trusted.overlay.", StringComparison.Ordinal))
                ExtendedAttributes.SetIfKept(parent, leaf, name, value.AsSpan());
        }
        FileOps.ChangeTime(parent, leaf, entry.ModifiedSeconds, entry.ModifiedNanoseconds);
    }

    private void Clear(SafeFileHandle parent, string leaf, TarKind comes)
    {
        if (FileOps.Status(parent, leaf) is not { } old || (old.Kind == FileKind.Directory && comes == TarKind.Directory))
            return;
        if (old.Kind == FileKind.Directory)
            Directory.Delete($"/proc/self/fd/{parent.DangerousGetHandle()}/{leaf}", recursive: true);
        else
            FileOps.RemoveFile(parent, leaf);
    }

    private static ImageException Nowhere(string path) =>
        ImageException.Bad($"the archive puts files below {path}, which is a link to something it does not hold");

    public void Dispose()
    {
        _parents.Dispose();
        _root.Dispose();
    }
}

/// <summary>What to do with whiteout names.</summary>
internal enum WhiteoutUse
{
    /// <summary>They become overlayfs's devices and attributes.</summary>
    Convert,

    /// <summary>They are plain files (a build context, a root file system).</summary>
    Keep,
}
