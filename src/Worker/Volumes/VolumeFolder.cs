using System.Text.Json;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Volumes;

/// <summary>
/// <c>DATA-ROOT/volumes/NAME</c>: the record, <c>_data</c>, and what is being filled in. A volume appears by rename when its record is on the disk,
/// and goes by rename before anything of it is deleted. Names that begin with a dot are no volume's.
/// </summary>
internal sealed class VolumeFolder(string root, string name)
{
    internal const string NewPrefix = ".new-";
    internal const string GonePrefix = ".gone-";
    private const string RecordName = "volume.json";

    /// <summary>Being copied from an image: worth nothing until it is renamed.</summary>
    private string Filling => Path.Combine(Folder, "filling");

    /// <summary>Copied from an image as a whole, on its way into <see cref="Data"/>.</summary>
    private string Filled => Path.Combine(Folder, "filled");

    private string Folder { get; } = Path.Combine(root, name);

    internal string Data => Path.Combine(Folder, "_data");

    internal bool Exists => Directory.Exists(Folder);

    internal void Create(StoredVolume volume)
    {
        var next = Path.Combine(root, NewPrefix + name);
        if (Directory.Exists(next))
            Directory.Delete(next, recursive: true);
        try
        {
            Directory.CreateDirectory(next, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
            var data = Directory.CreateDirectory(Path.Combine(next, "_data"));
            using (var folder = FileOps.OpenDirectory(data.FullName))
                FileOps.ChangeMode(folder, ".", 0x1ed);
            var record = Path.Combine(next, RecordName);
            using (var file = new FileStream(record, FileMode.Create, FileAccess.Write, FileShare.None, 0))
            {
                file.Write(JsonSerializer.SerializeToUtf8Bytes(volume, VolumeJson.Default.StoredVolume));
                FileOps.Sync(file.SafeFileHandle, record);
            }

            FileOps.SyncDirectory(next);
            Directory.Move(next, Folder);
            FileOps.SyncDirectory(root);
        }
        catch
        {
            if (Directory.Exists(next))
                Directory.Delete(next, recursive: true);
            throw;
        }
    }

    /// <summary>Null: not there or not readable.</summary>
    internal StoredVolume? Read()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(Folder, RecordName)), VolumeJson.Default.StoredVolume);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Takes it out of sight, then deletes it.</summary>
    internal void Delete()
    {
        var grave = Path.Combine(root, GonePrefix + name);
        if (Directory.Exists(grave))
            Directory.Delete(grave, recursive: true);
        Directory.Move(Folder, grave);
        FileOps.SyncDirectory(root);
        Directory.Delete(grave, recursive: true);
    }

    /// <summary>Fills the empty data directory: all that <paramref name="fill"/> makes, or nothing of it.</summary>
    /// <param name="fill">Gets an empty directory; answers whether it put anything there, be it only the directory's own owner and mode.</param>
    internal void Fill(Func<string, bool> fill)
    {
        if (Directory.Exists(Filling))
            Directory.Delete(Filling, recursive: true);
        Directory.CreateDirectory(Filling);
        try
        {
            if (!fill(Filling))
                return;
            FileOps.SyncFileSystem(Filling);
            Directory.Move(Filling, Filled);
        }
        finally
        {
            if (Directory.Exists(Filling))
                Directory.Delete(Filling, recursive: true);
        }

        FinishFilling();
    }

    /// <summary>Moves what was copied as a whole to where it belongs; after a crash too. What is there already stays.</summary>
    internal void FinishFilling()
    {
        if (Directory.Exists(Filling))
            Directory.Delete(Filling, recursive: true);
        if (FileOps.Status(Filled) is not { } status)
            return;
        using (var data = FileOps.OpenDirectory(Data))
        {
            foreach (var path in Directory.GetFileSystemEntries(Filled))
            {
                var to = Path.Combine(Data, Path.GetFileName(path));
                if (FileOps.Status(to) is null)
                    FileOps.Rename(path, to);
            }

            FileOps.ChangeOwner(data, ".", status.Uid, status.Gid);
            FileOps.ChangeMode(data, ".", status.Permissions);
            foreach (var attribute in ExtendedAttributes.List(Filled))
            {
                if (ExtendedAttributes.Get(Filled, attribute) is { } value)
                    ExtendedAttributes.Set(Data, attribute, value);
            }

            FileOps.ChangeTime(data, ".", status.ModifiedSeconds, status.ModifiedNanoseconds);
        }

        Directory.Delete(Filled, recursive: true);
    }
}
