using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Images.Unpack;

/// <summary>
/// The folders that an archive's entries go into. What the archive does not name is made, with mode 0755; the last one stays open, because the entries of a
/// folder stand together.
/// </summary>
/// <param name="find">Opens the directory at a path below the root; null: there is none.</param>
/// <param name="nowhere">What is said of a path that leads through something else.</param>
internal sealed class ParentFolders(Func<string, SafeFileHandle?> find, Func<string, Exception> nowhere) : IDisposable
{
    private (string Path, SafeFileHandle Handle)? last;

    /// <summary>The folder, open until another one is asked for.</summary>
    internal SafeFileHandle Open(string path)
    {
        if (last is { } known && known.Path == path)
            return known.Handle;
        last?.Handle.Dispose();
        last = null;
        var handle = find(path) ?? Make(path);
        last = (path, handle);
        return handle;
    }

    private SafeFileHandle Make(string path)
    {
        var made = "";
        foreach (var part in path.Split('/'))
        {
            using var above = find(made) ?? throw nowhere(made);
            made = made.Length == 0 ? part : $"{made}/{part}";
            if (FileOps.Status(above, part) is null)
            {
                FileOps.MakeDirectory(above, part, 0x1ed);
                FileOps.ChangeMode(above, part, 0x1ed);
            }
        }

        return find(path) ?? throw nowhere(path);
    }

    public void Dispose() => last?.Handle.Dispose();
}
