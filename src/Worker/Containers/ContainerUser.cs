using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Images.Unpack;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers;

/// <summary>Looks users up in an image's own files, through its layers.</summary>
internal static class ContainerUser
{
    // A text this long is no list of users but an attempt to fill the daemon's memory.
    private const long MostBytes = 4 << 20;

    /// <param name="layers">What the container wrote first, then the image's layers from the top.</param>
    /// <param name="user">As in the spec.</param>
    /// <param name="moreGroups">Additional ones.</param>
    internal static UserPlan Find(IReadOnlyList<string> layers, string user, IReadOnlyList<string> moreGroups)
    {
        var view = new LayeredView([.. layers]);
        return UserPlan.Of(user, moreGroups, Read(view, "etc/passwd"), Read(view, "etc/group"));
    }

    /// <summary>As the container would read it: links stay inside, what it deleted is not there.</summary>
    private static string Read(LayeredView view, string path)
    {
        if (view.Find(path) is not { Status.Kind: FileKind.Regular } found || found.Status.Size > MostBytes)
            return "";
        // A container that runs may put a link or a fifo there meanwhile.
        using var folder = FileOps.OpenDirectory(Path.GetDirectoryName(found.HostPath)!);
        using var file = new StreamReader(new FileStream(FileOps.OpenForReading(folder, Path.GetFileName(found.HostPath)), FileAccess.Read, 0));
        var text = new char[(int)found.Status.Size];
        return new string(text, 0, file.ReadBlock(text));
    }
}
