using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers.Files;

/// <summary>Paths of a container: always below its root, whatever links say.</summary>
internal sealed class RootedPaths(SafeFileHandle root)
{
    private const int MostLinks = 40; // as the kernel's MAXSYMLINKS

    internal SafeFileHandle Root => root;

    /// <summary>The path without links, dots and double slashes, relative to the root; components that do not exist stay as written.</summary>
    /// <exception cref="IOException">The links go round in circles.</exception>
    internal string Resolve(string path, LastLink last)
    {
        var left = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var done = new List<string>();
        var links = 0;
        while (left.TryPop(out var part))
        {
            if (part == ".")
                continue;
            if (part == "..")
            {
                if (done.Count > 0)
                    done.RemoveAt(done.Count - 1);
                continue;
            }

            done.Add(part);
            if ((left.Count == 0 && last == LastLink.Kept) || Status(string.Join('/', done)) is not { Kind: FileKind.Symlink })
                continue;
            if (++links > MostLinks)
                throw new IOException($"too many levels of symbolic links at {path}");
            var target = LinkAt(string.Join('/', done));
            done.RemoveAt(done.Count - 1);
            if (target.StartsWith('/'))
                done.Clear();
            foreach (var step in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                left.Push(step);
        }

        return string.Join('/', done);
    }

    /// <summary>What is at a resolved path, a link at its end not followed; null when nothing is.</summary>
    internal FileStatus? Status(string path)
    {
        if (path.Length == 0)
            return FileOps.Status(root, ".");
        using var parent = Parent(path, out var leaf);
        return parent is null ? null : FileOps.Status(parent, leaf);
    }

    /// <summary>The directory that a resolved path's last component is in; null when it is not there.</summary>
    internal SafeFileHandle? Parent(string path, out string leaf)
    {
        var slash = path.LastIndexOf('/');
        leaf = path[(slash + 1)..];
        return Directory(slash < 0 ? "" : path[..slash]);
    }

    /// <summary>A directory; null when it is not there, or something else is.</summary>
    internal SafeFileHandle? Directory(string path)
    {
        var found = FileOps.FindInRoot(root, path, LastLink.Followed);
        if (found is null || FileOps.Status(found, ".") is { Kind: FileKind.Directory })
            return found;
        found.Dispose();
        return null;
    }

    private string LinkAt(string path)
    {
        using var parent = Parent(path, out var leaf) ?? throw new IOException($"{path} vanished");
        return FileOps.ReadLink($"{FileOps.PathOf(parent)}/{leaf}");
    }
}
