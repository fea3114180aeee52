using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Images.Content;

/// <summary>A folder that other users of the host cannot enter: layers hold set-uid programs, contexts hold secrets.</summary>
internal static class PrivateFolder
{
    internal static void Make(string path)
    {
        Directory.CreateDirectory(path);
        using var folder = FileOps.OpenDirectory(path);
        FileOps.ChangeMode(folder, ".", 0x1c8); // 0710
    }
}
