using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime.Spec;
using Orchestrator.Worker.Volumes;

namespace Orchestrator.Worker.Containers;

/// <summary>A container's use of volumes: held while it exists, mounted while it runs.</summary>
internal sealed class ContainerVolumes(VolumeStore store, ILogger log)
{
    /// <summary>Makes what is missing, holds all, and copies the image's content into what is empty. Again does no harm.</summary>
    internal async Task HoldAsync(StoredContainer container, ImmutableArray<string> layers, CancellationToken stop)
    {
        try
        {
            foreach (var mount in Volumes(container))
            {
                await store.HoldAsync(Request(mount), container.Id, stop);
                if (!mount.NoCopy)
                    await store.FillAsync(mount.Name, Fill(mount, layers));
            }
        }
        catch (VolumeException e)
        {
            throw Translated(e);
        }
    }

    /// <summary>Mounts devices; the binds that the runtime makes are the answer, and what must be let go when it has made them.</summary>
    internal async Task<MountedVolumes> MountAsync(StoredContainer container, ImmutableArray<string> layers)
    {
        var mounts = ImmutableArray.CreateBuilder<OciMount>();
        var pins = new List<string>();
        try
        {
            await HoldMissingAsync(container, layers);
            foreach (var mount in container.Volumes)
            {
                var source = mount.Source;
                if (mount.Type == "volume")
                {
                    source = await store.MountAsync(
                        mount.Name, container.Id, new VolumeUse(mount.Destination, mount.ReadOnly), mount.NoCopy ? null : Fill(mount, layers));
                    if (mount.Subpath is not null)
                    {
                        source = store.Pin(mount.Name, mount.Subpath, container.Id, pins.Count);
                        pins.Add(source);
                    }
                }

                mounts.Add(new OciMount
                {
                    Destination = mount.Destination,
                    Source = source,
                    Type = "bind",
                    Options = ["rbind", mount.Propagation.Length > 0 ? mount.Propagation : "rprivate", mount.ReadOnly ? "ro" : "rw", .. Mapping(container, mount)],
                });
            }

            return new MountedVolumes(mounts.ToImmutable(), pins);
        }
        catch (Exception e)
        {
            pins.ForEach(VolumeStore.Unpin);
            await UnmountAsync(container);
            if (e is VolumeException volume)
                throw Translated(volume);
            throw;
        }
    }

    /// <summary>
    /// Volumes keep the owners that the container sees, whichever user namespace it is in. A directory that somebody named shows the host's:
    /// else the container's root would be root in it.
    /// </summary>
    private static ImmutableArray<string> Mapping(StoredContainer container, StoredMount mount) => container.Remap is not null && mount.Type == "volume" ? ["idmap"] : [];

    /// <summary>The container runs no more. What fails is logged: it must not keep the container from ending.</summary>
    internal async Task UnmountAsync(StoredContainer container)
    {
        foreach (var mount in Volumes(container))
        {
            try
            {
                await store.UnmountAsync(mount.Name, container.Id, new VolumeUse(mount.Destination, mount.ReadOnly));
            }
            catch (VolumeException e)
            {
                log.ContainerWorkFailed(e, container.Id, "unmounting a volume");
            }
        }
    }

    /// <summary>The container is gone, and its anonymous volumes with it unless another container has them too.</summary>
    internal async Task ReleaseAsync(StoredContainer container, bool removeAnonymous)
    {
        try
        {
            await store.ReleaseAsync(Volumes(container).Select(v => v.Name), container.Id);
            if (!removeAnonymous)
                return;
            foreach (var mount in Volumes(container).Where(v => v.Anonymous))
                await store.RemoveUnusedAsync(mount.Name, CancellationToken.None);
        }
        catch (VolumeException e)
        {
            throw Translated(e);
        }
    }

    private async Task HoldMissingAsync(StoredContainer container, ImmutableArray<string> layers)
    {
        if (Volumes(container).Any(v => store.Find(v.Name)?.Users.Contains(container.Id) != true))
            await HoldAsync(container, layers, CancellationToken.None);
    }

    private static IEnumerable<StoredMount> Volumes(StoredContainer container) =>
        container.Volumes.Where(v => v.Type == "volume").DistinctBy(v => v.Name, StringComparer.Ordinal);

    private static Func<string, bool> Fill(StoredMount mount, ImmutableArray<string> layers) =>
        into => mount.Subpath is null && ImageContent.CopyTo(layers, mount.Destination, into);

    private static VolumeCreateRequest Request(StoredMount mount) => new()
    {
        Name = mount.Name,
        DriverOpts = mount.Options,
        Labels = mount.Anonymous
            ? new Dictionary<string, string>(mount.Labels, StringComparer.Ordinal) { [VolumeStore.AnonymousLabel] = "" }
            : mount.Labels,
    };

    /// <summary>In the words of this room, which is all that those above know.</summary>
    private static Exception Translated(VolumeException e) => e.Fault switch
    {
        VolumeFault.Invalid or VolumeFault.NotFound => new InvalidContainerException("HostConfig.Mounts", e.Message),
        VolumeFault.Conflict => new ContainerConflictException(e.Message),
        _ => new IOException(e.Message, e),
    };
}

/// <summary>What a start mounts.</summary>
/// <param name="Mounts">For the runtime.</param>
/// <param name="Pins">Let go when it has mounted them.</param>
internal sealed record MountedVolumes(ImmutableArray<OciMount> Mounts, IReadOnlyList<string> Pins)
{
    internal void Unpin()
    {
        foreach (var pin in Pins)
            VolumeStore.Unpin(pin);
    }
}
