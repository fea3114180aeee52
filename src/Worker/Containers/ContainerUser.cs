using Orchestrator.Worker.Containers.Plan;

namespace Orchestrator.Worker.Containers;

/// <summary>Looks users up in an image's own files, through its layers.</summary>
internal static class ContainerUser
{
    // A text this long is no list of users but an attempt to fill the daemon's memory.
    private const long MostBytes = 4 << 20;

    /// <param name="layers">What the container wrote first, then the image's layers from the top.</param>
    /// <param name="user">As in the spec.</param>
    /// <param name="moreGroups">Additional ones.</param>
    internal static UserPlan Find(IReadOnlyList<string> layers, string user, IReadOnlyList<string> moreGroups) =>
        UserPlan.Of(user, moreGroups, Read(layers, "passwd"), Read(layers, "group"));

    /// <summary>
    /// The topmost layer that has the file decides. Symbolic links are not followed: they are the image's, and would lead into the host's files.
    /// </summary>
    private static string Read(IReadOnlyList<string> layers, string name)
    {
        foreach (var layer in layers)
        {
            var etc = new DirectoryInfo(Path.Combine(layer, "etc"));
            if (!etc.Exists)
                continue;
            if (etc.LinkTarget is not null)
                return "";
            var file = new FileInfo(Path.Combine(etc.FullName, name));
            if (file.LinkTarget is not null)
                return "";
            if (file.Exists)
                return file.Attributes.HasFlag(FileAttributes.Device) || file.Length > MostBytes ? "" : File.ReadAllText(file.FullName);
        }

        return "";
    }
}
