namespace Orchestrator.Worker.Linux;

/// <summary>How much is in a directory tree, as Docker counts: lengths of files, each inode once.</summary>
internal static class TreeSize
{
    /// <summary>Bytes below a directory; 0 when there is none. What vanishes meanwhile does not count; links are not followed.</summary>
    internal static long Of(string root, CancellationToken stop)
    {
        if (FileOps.Status(root) is not { Kind: FileKind.Directory })
            return 0;
        var sum = 0L;
        var seen = new HashSet<(ulong, ulong)>();
        var left = new Stack<string>([root]);
        while (left.TryPop(out var folder))
        {
            stop.ThrowIfCancellationRequested();
            foreach (var path in Entries(folder))
            {
                if (FileOps.Status(path) is not { } status)
                    continue;
                if (status.Kind == FileKind.Directory)
                    left.Push(path);
                else if (status.Kind is FileKind.Regular or FileKind.Symlink && (status.Links == 1 || seen.Add((status.Device, status.Inode))))
                    sum += status.Size;
            }
        }

        return sum;
    }

    private static string[] Entries(string folder)
    {
        try
        {
            return Directory.GetFileSystemEntries(folder);
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}
