using Orchestrator.Worker.Runtime.Logs;

namespace Orchestrator.Worker.Containers.Logs;

/// <summary>The files of one log: <c>x.log</c> is being written, <c>x.log.1</c> came before it, and so on; each may be compressed.</summary>
internal static class LogFiles
{
    /// <summary>Opens those there are, the oldest first. A file that rotates meanwhile stays the same file under its handle.</summary>
    internal static List<LogPart> OpenAll(string path)
    {
        var parts = new List<LogPart>();
        var missing = 0;
        // From the newest on: what rotates while we open is met again under the next number, and seen to be the same. Of a rotation
        // in progress one number is missing; two are the end.
        for (var i = 0; missing < 2; i++)
        {
            var part = LogPart.TryOpen(LogRotation.NameOf(path, i));
            missing = part is null ? missing + 1 : 0;
            if (part is null)
                continue;
            if (parts.Exists(p => p.Identity == part.Identity))
                Close(part);
            else
                parts.Add(part);
        }

        parts.Reverse();
        return parts;
    }

    /// <summary>The file that follows this one, when it has been rotated away; null while it is the newest.</summary>
    internal static LogPart? Next(string path, LogPart current)
    {
        var all = OpenAll(path);
        var at = all.FindIndex(p => p.Identity == current.Identity);
        // Rotated out altogether: the oldest there is comes next.
        var next = at + 1 < all.Count ? all[at + 1] : null;
        foreach (var other in all.Where(p => p != next))
            Close(other);
        return next;
    }

    private static void Close(LogPart part) => part.DisposeAsync().AsTask().GetAwaiter().GetResult();
}
