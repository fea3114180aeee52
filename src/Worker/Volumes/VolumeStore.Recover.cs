using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Volumes.Plan;

namespace Orchestrator.Worker.Volumes;

/// <summary>A container that was found at a daemon's start, and the volumes it uses.</summary>
internal sealed record FoundUser(string Id, bool Running, IReadOnlyList<string> Volumes);

/// <summary>A daemon's start over what the one before left.</summary>
internal sealed partial class VolumeStore
{
    /// <summary>Reads what is on disk; removes what was being made or deleted, unmounts devices that no running container has. Call once, first.</summary>
    internal void Recover(IReadOnlyList<FoundUser> found)
    {
        Directory.CreateDirectory(options.Root);
        using (var root = FileOps.OpenDirectory(options.Root))
            FileOps.ChangeMode(root, ".", 0x1c1); // others may pass through to a bind of a volume, not look around
        foreach (var pin in Directory.GetFileSystemEntries(options.Root, PinPrefix + "*"))
            Unpin(pin);
        foreach (var folder in Directory.GetDirectories(options.Root))
        {
            var name = Path.GetFileName(folder);
            if (name.StartsWith(VolumeFolder.NewPrefix, StringComparison.Ordinal) || name.StartsWith(VolumeFolder.GonePrefix, StringComparison.Ordinal))
                RemoveLeftover(folder);
            else if (!name.StartsWith('.'))
                Take(name);
        }

        foreach (var user in found)
        {
            foreach (var name in user.Volumes)
            {
                // One that is missing is made again when the container starts.
                if (!entries.TryGetValue(name, out var entry))
                    entries.Add(name, entry = new VolumeEntry(FolderOf(name)));
                entry.Users.Add(user.Id);
                if (user.Running)
                    entry.Mounted.Add(user.Id);
            }
        }

        foreach (var entry in entries.Values.Where(e => e.Volume is not null && e.Mounted.Count == 0 && DeviceMountPlan.Of(e.Volume.Options) is not null))
            UnmountLeftover(entry.Folder.Data);
    }

    private void Take(string name)
    {
        var folder = FolderOf(name);
        if (folder.Read() is not { } volume || volume.Name != name)
        {
            // Data without its record: never deleted by guess.
            options.Log.RecordMissing(name);
            return;
        }

        try
        {
            folder.FinishFilling();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            options.Log.VolumeWorkFailed(e, name, "finishing its first content");
        }

        entries.Add(name, new VolumeEntry(folder) { Volume = volume });
    }

    private void RemoveLeftover(string folder)
    {
        try
        {
            foreach (var point in Mounts.Below(folder))
                Mounts.Unmount(point);
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            options.Log.VolumeWorkFailed(e, Path.GetFileName(folder), "removing what a crash left");
        }
    }

    private void UnmountLeftover(string data)
    {
        try
        {
            foreach (var point in Mounts.Below(data))
                Mounts.Unmount(point);
        }
        catch (IOException e)
        {
            options.Log.VolumeWorkFailed(e, data, "unmounting what a crash left");
        }
    }
}
