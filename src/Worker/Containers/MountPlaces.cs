using System.Collections.Immutable;
using Orchestrator.Worker.Images.Unpack;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers;

/// <summary>Files and directories that the runtime makes in an upper directory to mount on where the image has none: no part of a layer.</summary>
internal static class MountPlaces
{
    /// <summary>Removes them, and the directories above them that hold nothing then and say nothing that the image does not say.</summary>
    /// <remarks>Nothing runs over <paramref name="upper"/> any more. Whoever ran may have put symbolic links there: none is followed.</remarks>
    internal static void Remove(string upper, ImmutableArray<string> lowers, IEnumerable<string> places)
    {
        var image = new LayeredView(lowers);
        foreach (var place in places.OrderByDescending(p => p.Length))
        {
            var path = place.Trim('/');
            while (path.Length > 0 && TryRemove(upper, image, path))
                path = Path.GetDirectoryName(path) ?? "";
        }
    }

    private static bool TryRemove(string upper, LayeredView image, string path)
    {
        if (Find(upper, path) is not var (host, status))
            return false;
        var before = image.FindLink(path);
        switch (status.Kind)
        {
            case FileKind.Regular when status.Size == 0 && before is null:
                File.Delete(host);
                return true;
            case FileKind.Directory when IsEmpty(host) && (before is null || Same(host, status, before.Status)):
                Directory.Delete(host);
                return true;
            default:
                return false;
        }
    }

    private static (string Host, FileStatus Status)? Find(string upper, string path)
    {
        var host = upper;
        FileStatus? status = null;
        foreach (var part in path.Split('/'))
        {
            if (status is { Kind: not FileKind.Directory })
                return null;
            host = $"{host}/{part}";
            status = FileOps.Status(host);
            if (status is null)
                return null;
        }

        return status is { } found ? (host, found) : null;
    }

    /// <summary>Copied up when something was made in it; its time alone has changed.</summary>
    private static bool Same(string host, FileStatus now, FileStatus before) =>
        before.Kind == FileKind.Directory && now.Permissions == before.Permissions && now.Uid == before.Uid && now.Gid == before.Gid
        && ExtendedAttributes.Get(host, Whiteouts.OpaqueXattr) is null;

    private static bool IsEmpty(string directory) => !Directory.EnumerateFileSystemEntries(directory).Any();
}
