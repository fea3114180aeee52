using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Images.Content;

/// <summary>A file replaced as a whole: after a crash it is the old one or the new one.</summary>
internal static class AtomicFile
{
    internal static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 0))
        {
            file.Write(content);
            FileOps.Sync(file.SafeFileHandle, temporary);
        }
        File.Move(temporary, path, overwrite: true);
        FileOps.SyncDirectory(Path.GetDirectoryName(path)!);
    }
}
