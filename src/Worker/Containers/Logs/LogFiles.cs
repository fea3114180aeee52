using System.Globalization;

namespace Orchestrator.Worker.Containers.Logs;

/// <summary>The files of one log: <c>x.log</c> is being written, <c>x.log.1</c> came before it, and so on.</summary>
internal static class LogFiles
{
    /// <summary>Opens those there are, the oldest first. A file that rotates meanwhile stays the same file under its handle.</summary>
    internal static List<FileStream> OpenAll(string path)
    {
        var files = new List<FileStream>();
        // From the newest on: what rotates while we open is met again under the next number, and seen to be the same.
        for (var i = 0; ; i++)
        {
            var file = TryOpen(NameOf(path, i));
            if (file is null && i > 0)
                break;
            if (file is null)
                continue;
            if (files.Count > 0 && IndexOf(path, files[^1]) >= i)
                file.Dispose();
            else
                files.Add(file);
        }

        files.Reverse();
        return files;
    }

    /// <summary>The file that follows this one, when it has been rotated away; null while it is the newest.</summary>
    internal static FileStream? Next(string path, FileStream current)
    {
        if (IndexOf(path, current) is not { } index)
            return OpenAll(path) is [var oldest, .. var others] ? Only(oldest, others) : null;
        return index == 0 ? null : TryOpen(NameOf(path, index - 1));
    }

    internal static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>The kernel keeps the name of an open file up to date, so it tells how often the file was rotated; null when it was removed.</summary>
    private static int? IndexOf(string path, FileStream file)
    {
        var name = new FileInfo($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}").LinkTarget;
        if (name is null)
            return null;
        if (Path.GetFileName(name) == Path.GetFileName(path))
            return 0;
        var suffix = name[(name.LastIndexOf('.') + 1)..];
        return int.TryParse(suffix, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;
    }

    private static string NameOf(string path, int index) => index == 0 ? path : string.Create(CultureInfo.InvariantCulture, $"{path}.{index}");

    private static FileStream Only(FileStream first, List<FileStream> others)
    {
        others.ForEach(o => o.Dispose());
        return first;
    }
}
