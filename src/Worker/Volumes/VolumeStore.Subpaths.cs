using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Volumes;

/// <summary>A part of a volume, held where nobody can put a link in its way between the look and the mount.</summary>
internal sealed partial class VolumeStore
{
    private const string PinPrefix = ".pin-";

    /// <summary>Mounts what the subpath leads to inside the volume on a path that only root can reach.</summary>
    /// <exception cref="VolumeException">There is nothing.</exception>
    internal string Pin(string name, string subpath, string user, int number)
    {
        using var data = FileOps.OpenDirectory(MountpointOf(name));
        using var found = FileOps.FindInRoot(data, subpath, LastLink.Followed)
            ?? throw new VolumeException(VolumeFault.Failed, $"the volume {name} has no \"{subpath}\": a subpath must exist before a container can use it");
        var pin = Path.Combine(options.Root, $"{PinPrefix}{user}-{number}");
        Unpin(pin);
        Guarded($"mount {subpath} of volume {name}", () =>
        {
            if (FileOps.Status(FileOps.PathOf(found) + "/.") is { Kind: FileKind.Directory })
                Directory.CreateDirectory(pin);
            else
                File.WriteAllBytes(pin, []);
            Mounts.Mount(FileOps.PathOf(found), pin, null, Mounts.BindFlag, null);
        });
        return pin;
    }

    /// <summary>Takes the pin away; whoever mounted it keeps what he has.</summary>
    internal static void Unpin(string pin)
    {
        foreach (var point in Mounts.Below(pin))
            Mounts.Unmount(point);
        if (FileOps.Status(pin) is not { } status)
            return;
        if (status.Kind == FileKind.Directory)
            Directory.Delete(pin); // empty, or it is not what it seems
        else
            File.Delete(pin);
    }
}
