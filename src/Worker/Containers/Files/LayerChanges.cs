using System.Collections.Immutable;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Images.Unpack;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers.Files;

/// <summary>What a container changed in its image, by Docker's rules (moby pkg/archive, changes.go): read from the overlay's upper directory.</summary>
/// <param name="upper">What the container wrote.</param>
/// <param name="lowers">The image's layers.</param>
/// <param name="places">Paths without leading slash on which the engine mounts: what it makes there is no change of the container's.</param>
internal sealed class LayerChanges(string upper, ImmutableArray<string> lowers, IReadOnlySet<string> places)
{
    private const int Modified = 0, Added = 1, Deleted = 2;

    private readonly LayeredView image = new(lowers);

    /// <summary>In the order of the paths.</summary>
    internal IReadOnlyList<FilesystemChange> All() => [.. Below("").OrderBy(c => c.Path, StringComparer.Ordinal)];

    /// <summary>True when the path is in the upper directory only because something is mounted on it or below it.</summary>
    internal bool IsPlace(string path) =>
        FileOps.Status($"{upper}/{path}") is { } status && image.FindLink(path) is var before && OnlyPlace(path, status, before);

    private bool OnlyPlace(string path, FileStatus status, ViewNode? before) => status.Kind switch
    {
        FileKind.Regular => before is null && status.Size == 0 && places.Contains(path),
        FileKind.Directory => IsAbovePlace(path) && (before is null || (before.Status.Kind == FileKind.Directory && !Differs(status, before.Status)))
            && Names(path).All(n => Inner(path, n) is { } child && IsPlace(child)),
        _ => false,
    };

    private bool IsAbovePlace(string path) => places.Any(p => p == path || p.StartsWith(path + "/", StringComparison.Ordinal));

    private List<FilesystemChange> Below(string folder)
    {
        var changes = new List<FilesystemChange>();
        foreach (var name in Names(folder))
        {
            var path = Inner(folder, name);
            if (FileOps.Status($"{upper}/{path}") is not { } status)
                continue;
            var before = image.FindLink(path);
            if (OnlyPlace(path, status, before))
                continue;
            if (status is { Kind: FileKind.Character, Major: 0, Minor: 0 })
            {
                if (before is not null)
                    changes.Add(new FilesystemChange("/" + path, Deleted));
                continue;
            }

            var inner = status.Kind == FileKind.Directory ? Below(path) : [];
            if (status.Kind == FileKind.Directory && before is { Status.Kind: FileKind.Directory } && ExtendedAttributes.Get($"{upper}/{path}", Whiteouts.OpaqueXattr) is not null)
                inner.AddRange(LayeredView.List(before).Except(Names(path)).Select(gone => new FilesystemChange($"/{path}/{gone}", Deleted)));
            if (before is null)
                changes.Add(new FilesystemChange("/" + path, Added));
            else if (inner.Count > 0 || Differs(status, before.Status))
                changes.Add(new FilesystemChange("/" + path, Modified));
            changes.AddRange(inner);
        }

        return changes;
    }

    /// <summary>Length and time of a directory say nothing.</summary>
    private static bool Differs(FileStatus now, FileStatus before) =>
        now.Kind != before.Kind || now.Permissions != before.Permissions || now.Uid != before.Uid || now.Gid != before.Gid
        || now.Major != before.Major || now.Minor != before.Minor
        || (now.Kind != FileKind.Directory && (now.Size != before.Size || now.ModifiedSeconds != before.ModifiedSeconds || now.ModifiedNanoseconds != before.ModifiedNanoseconds));

    private List<string> Names(string folder)
    {
        try
        {
            return [.. Directory.GetFileSystemEntries($"{upper}/{folder}").Select(p => Path.GetFileName(p))];
        }
        catch (DirectoryNotFoundException)
        {
            return []; // the container runs, and took it away
        }
    }

    private static string Inner(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";
}
