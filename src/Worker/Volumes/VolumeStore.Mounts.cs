using System.Net;
using System.Net.Sockets;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Volumes.Plan;

namespace Orchestrator.Worker.Volumes;

/// <summary>What is mounted, and what is filled in before it is first seen.</summary>
internal sealed partial class VolumeStore
{
    /// <summary>A container begins to see the volume: a device is mounted now, unless another one's use did. The directory to bind is the answer.</summary>
    /// <param name="name">The volume.</param>
    /// <param name="user">The container.</param>
    /// <param name="use">How it uses it, for the event; null: nobody is told.</param>
    /// <param name="fill">Copies the image's content into a directory, for a device that is empty; null: nothing is copied.</param>
    /// <exception cref="VolumeException">It is gone, or the kernel refused the mount.</exception>
    internal Task<string> MountAsync(string name, string user, VolumeUse? use, Func<string, bool>? fill) => DoAsync(name, entry =>
    {
        var volume = entry.Volume ?? throw VolumeException.NotFound(name);
        if (DeviceMountPlan.Of(volume.Options) is { } device)
        {
            if (!Mounts.IsMounted(entry.Folder.Data))
                Guarded($"mount volume {name}", () => MountDevice(device, entry.Folder.Data));
            if (fill is not null && entry.Mounted.Count == 0 && IsEmpty(entry.Folder.Data))
                Guarded($"fill volume {name}", () => FillDevice(entry.Folder.Data, fill));
        }

        entry.Mounted.Add(user);
        if (use is not null)
        {
            Tell("mount", name, ("container", user), ("destination", use.Destination), ("read/write", use.ReadOnly ? "false" : "true"), ("propagation", ""));
        }

        return entry.Folder.Data;
    }, CancellationToken.None);

    /// <summary>The container sees it no more; after the last one its device is unmounted.</summary>
    internal Task UnmountAsync(string name, string user, VolumeUse? use) => DoAsync(name, entry =>
    {
        Unmount(entry, user, use);
        return true;
    }, CancellationToken.None);

    /// <summary>Copies what an image has into a volume that holds nothing yet: everything or, when that fails, nothing.</summary>
    /// <param name="name">The volume.</param>
    /// <param name="fill">Copies into the directory that it gets; false when there was nothing to copy.</param>
    internal Task FillAsync(string name, Func<string, bool> fill) => DoAsync(name, entry =>
    {
        // A device's content is looked at when it is mounted.
        if (entry.Volume is { } volume && DeviceMountPlan.Of(volume.Options) is null && IsEmpty(entry.Folder.Data))
            Guarded($"fill volume {name}", () => entry.Folder.Fill(fill));
        return true;
    }, CancellationToken.None);

    /// <summary>In the volume's turn.</summary>
    private void Unmount(VolumeEntry entry, string user, VolumeUse? use)
    {
        if (!entry.Mounted.Remove(user) || entry.Volume is not { } volume)
            return;
        if (entry.Mounted.Count == 0 && DeviceMountPlan.Of(volume.Options) is not null)
        {
            Guarded($"unmount volume {volume.Name}", () =>
            {
                foreach (var point in Mounts.Below(entry.Folder.Data))
                    Mounts.Unmount(point);
            });
        }

        if (use is not null)
            Tell("unmount", volume.Name, ("container", user));
    }

    private static void MountDevice(DeviceMountPlan device, string data)
    {
        if (device.ServerName is { } server && !IPAddress.TryParse(server, out _))
            device = device.WithServer(Resolve(server));
        Mounts.Mount(device.Source, data, device.Type, device.Flags, device.Data);
    }

    private static string Resolve(string server)
    {
        try
        {
            return Dns.GetHostAddresses(server) is [var first, ..] ? first.ToString() : throw new IOException($"the server '{server}' has no address");
        }
        catch (SocketException e)
        {
            throw new IOException($"the server '{server}' cannot be found: {e.Message}", e);
        }
    }

    private static void FillDevice(string data, Func<string, bool> fill)
    {
        try
        {
            fill(data);
        }
        catch
        {
            // It was empty: half a copy would be taken for the whole next time.
            foreach (var path in Directory.GetFileSystemEntries(data))
            {
                if (FileOps.Status(path) is { Kind: FileKind.Directory })
                    Directory.Delete(path, recursive: true);
                else
                    File.Delete(path);
            }

            throw;
        }
    }

    private static bool IsEmpty(string directory) => !Directory.EnumerateFileSystemEntries(directory).Any();
}

/// <summary>Where a container sees a volume.</summary>
internal sealed record VolumeUse(string Destination, bool ReadOnly);
