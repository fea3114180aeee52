namespace Orchestrator.Cli.Commands.Files;

/// <summary>One end of a copy.</summary>
/// <param name="Path">As it was written; a slash or <c>/.</c> at the end means a directory, or what is in it.</param>
/// <param name="Exists">Something is there.</param>
/// <param name="IsDirectory">And it is a directory.</param>
internal sealed record CopyEnd(string Path, bool Exists, bool IsDirectory);

/// <summary>Where an archive is unpacked, and what its top is called there.</summary>
/// <param name="Directory">An existing directory.</param>
/// <param name="TopName">Null: as the archive says.</param>
internal sealed record CopyPlan(string Directory, string? TopName)
{
    /// <summary>cp's rules, as docker's (moby pkg/archive/copy.go, PrepareArchiveCopy).</summary>
    /// <exception cref="CommandException">The two ends do not fit.</exception>
    internal static CopyPlan Of(CopyEnd source, CopyEnd destination)
    {
        var (folder, name) = Split(destination.Path);
        if (destination is { Exists: true, IsDirectory: true })
            return new(destination.Path, null);
        if (destination.Exists && source.IsDirectory)
            throw new CommandException("cannot copy directory");
        if (!destination.Exists && !source.IsDirectory && EndsAsDirectory(destination.Path))
            throw new CommandException($"no such directory: {destination.Path}");
        return new(folder, name);
    }

    internal static bool EndsAsDirectory(string path) => path.EndsWith('/') || path.EndsWith("/.", StringComparison.Ordinal) || path == ".";

    /// <summary>The path's last name and what is before it.</summary>
    internal static (string Folder, string Name) Split(string path)
    {
        var bare = path.EndsWith("/.", StringComparison.Ordinal) ? path[..^2] : path.TrimEnd('/');
        var slash = bare.LastIndexOf('/');
        return (slash < 0 ? "." : slash == 0 ? "/" : bare[..slash], bare[(slash + 1)..]);
    }
}
