using System.Collections.Immutable;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Images.Unpack;

/// <summary>
/// Layers seen as the one tree that overlayfs would show, without mounting: top directory first, whiteouts and opaque directories obeyed, links
/// resolved inside the tree. A single plain directory is a view of one layer.
/// </summary>
internal sealed class LayeredView(ImmutableArray<string> layers)
{
    private const int MostLinks = 40; // as the kernel's MAXSYMLINKS

    /// <summary>What the tree has at a path, the last link followed too; null when nothing is there.</summary>
    internal ViewNode? Find(string path) => Walk(path, LastLink.Followed).Node;

    /// <summary>As <see cref="Find"/>, but a link at the end is the answer itself.</summary>
    internal ViewNode? FindLink(string path) => Walk(path, LastLink.Kept).Node;

    /// <summary>Where a path leads after all links that exist; components that do not exist stay as written.</summary>
    internal string Resolve(string path) => Walk(path, LastLink.Followed).Path;

    /// <summary>Names in a directory, in ordinal order.</summary>
    internal static ImmutableArray<string> List(ViewNode directory)
    {
        var seen = new SortedDictionary<string, FileKind>(StringComparer.Ordinal);
        foreach (var folder in directory.Folders)
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(folder))
            {
                var status = FileOps.Status(path)!.Value;
                seen.TryAdd(Path.GetFileName(path), IsWhiteout(status) ? default : status.Kind);
            }
        }
        return [.. seen.Where(s => s.Value != default).Select(s => s.Key)];
    }

    private (ViewNode? Node, string Path) Walk(string path, LastLink last)
    {
        var left = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var trail = new List<ViewNode> { Root() };
        var links = 0;
        while (left.TryPop(out var part))
        {
            if (part == ".")
                continue;
            if (part == "..")
            {
                if (trail.Count > 1)
                    trail.RemoveAt(trail.Count - 1);
                continue;
            }
            if (Child(trail[^1], part) is not { } child)
                return (null, ConfigJoin(trail[^1].Path, [part, .. left]));
            if (child.Status.Kind == FileKind.Symlink && (left.Count > 0 || last == LastLink.Followed))
            {
                if (++links > MostLinks)
                    throw ImageException.Bad($"too many levels of symbolic links at {path}");
                var target = FileOps.ReadLink(child.HostPath);
                if (target.StartsWith('/'))
                    trail.RemoveRange(1, trail.Count - 1);
                foreach (var step in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                    left.Push(step);
                continue;
            }
            trail.Add(child);
        }
        return (trail[^1], trail[^1].Path);
    }

    private static string ConfigJoin(string path, IEnumerable<string> parts) => string.Join('/', (string[])[.. path.Split('/', StringSplitOptions.RemoveEmptyEntries), .. parts]);

    private ViewNode Root() => layers.IsEmpty
        ? new("", "", new(FileKind.Directory, 0x1ed, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0), [])
        : new("", layers[0], FileOps.Status(layers[0]) ?? throw new DirectoryNotFoundException(layers[0]), layers);

    /// <summary>What a directory has under a name, links not followed; null when nothing is there.</summary>
    internal static ViewNode? Child(ViewNode parent, string name)
    {
        ViewNode? found = null;
        var folders = ImmutableArray.CreateBuilder<string>();
        foreach (var folder in parent.Folders)
        {
            var host = $"{folder}/{name}";
            if (FileOps.Status(host) is not { } status)
                continue;
            if (IsWhiteout(status) || (found is not null && status.Kind != FileKind.Directory))
                break;
            found ??= new(parent.Path.Length == 0 ? name : $"{parent.Path}/{name}", host, status, []);
            if (status.Kind != FileKind.Directory)
                break;
            folders.Add(host);
            if (ExtendedAttributes.Get(host, Whiteouts.OpaqueXattr) is not null)
                break;
        }
        return found is null ? null : found with { Folders = folders.ToImmutable() };
    }

    private static bool IsWhiteout(FileStatus status) => status is { Kind: FileKind.Character, Major: 0, Minor: 0 };

    private enum LastLink
    {
        Followed,
        Kept,
    }
}

/// <summary>A file in a <see cref="LayeredView"/>.</summary>
/// <param name="Path">Its path in the tree, without a leading slash; empty for the root.</param>
/// <param name="HostPath">Where its content and attributes are.</param>
/// <param name="Status">What it is.</param>
/// <param name="Folders">For a directory: the layers' directories that make it up, top first.</param>
internal sealed record ViewNode(string Path, string HostPath, FileStatus Status, ImmutableArray<string> Folders);
