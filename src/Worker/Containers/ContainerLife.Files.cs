using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Containers.Files;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Spec;
using Orchestrator.Worker.Volumes;

namespace Orchestrator.Worker.Containers;

/// <summary>Its files from outside, whether it runs or not.</summary>
internal sealed partial class ContainerLife
{
    /// <summary>Lends the container's root to <paramref name="work"/>, which blocks as it likes: it runs on a thread of the pool.</summary>
    /// <param name="write">Of one that does not run, nothing else happens to it meanwhile: the same layer must not be mounted twice for writing.</param>
    /// <param name="work">Uses the root.</param>
    /// <param name="stop">Cancels the waiting.</param>
    internal async Task<T> WithRootAsync<T>(bool write, Func<SafeFileHandle, T> work, CancellationToken stop)
    {
        RefuseRemapped(container);
        var early = default((bool Done, T? Value));
        var root = await AskAsync("files", async () =>
        {
            if (state.Pid > 0)
                return new LentRoot(FileOps.OpenDirectory($"/proc/{state.Pid}/root"), null, _ => Task.CompletedTask);
            if (state.Status is ContainerStatus.Removing or ContainerStatus.Dead)
                throw new ContainerConflictException($"container {container.Id} is marked for removal: its files cannot be reached");
            var mounted = await MountRootAsync(write);
            if (!write)
                return mounted;
            await using (mounted)
                early = (true, await Task.Run(() => work(mounted.Root), stop));
            return mounted;
        }, stop);
        if (early.Done)
            return early.Value!;
        await using (root)
            return await Task.Run(() => work(root.Root), stop);
    }

    /// <summary>What lies in its layers bears other owners than the container sees; they would be taken for its own.</summary>
    /// <exception cref="ContainerConflictException">It has a user namespace.</exception>
    internal static void RefuseRemapped(StoredContainer container)
    {
        if (container.Remap is not null)
        {
            throw new ContainerConflictException(
                $"container {container.Id} has a user namespace, and the owners of its files cannot be translated yet: copy with tar through 'exec', or run it with --userns=host");
        }
    }

    private async Task<LentRoot> MountRootAsync(bool write)
    {
        var layers = await services.Images.AcquireLayersAsync(container.ImageId, Id, CancellationToken.None);
        var user = $"files-{IdText.Next()}";
        var volumeNames = container.Volumes.Where(v => v.Type == "volume").Select(v => v.Name).Distinct(StringComparer.Ordinal).ToList();
        var pins = new List<string>();
        async Task DropAsync(LentRoot? _)
        {
            foreach (var name in volumeNames)
                await services.Volumes.UnmountAsync(name, user, null);
        }

        try
        {
            foreach (var name in volumeNames)
                await services.Volumes.MountAsync(name, user, null, null);
            var own = container.Volumes.Select(v => new OciMount
            {
                Destination = v.Destination,
                Source = v.Subpath is null ? v.Source : Pinned(v, user, pins),
                Type = "bind",
                Options = ["rbind", v.ReadOnly ? "ro" : "rw"],
            }).ToList();
            var generated = SpecPlan.GeneratedFiles.Where(f => File.Exists(directory.File(f.Name))).Select(f => new OciMount
            {
                Destination = f.Target, Source = directory.File(f.Name), Type = "bind", Options = ["bind", "rw"],
            });
            var binds = MountPlan.Of(container.HostConfig, []).Mounts.Where(m => m.Type == "bind").Concat(own).ToList();
            ImmutableArray<OciMount> all =
            [
                .. binds.Concat(generated.Where(g => !binds.Exists(b => b.Destination == g.Destination))).OrderBy(m => m.Destination.Count(c => c == '/')),
            ];
            var mounts = await Task.Run(() => ContainerRoot.Mount(directory, layers.LowerDirs, all, write, write && container.HostConfig.ReadonlyRootfs));
            return new LentRoot(mounts.Root, mounts, DropAsync);
        }
        catch (VolumeException e)
        {
            await DropAsync(null);
            throw new IOException(e.Message, e);
        }
        catch
        {
            await DropAsync(null);
            throw;
        }
        finally
        {
            pins.ForEach(VolumeStore.Unpin);
        }
    }

    private string Pinned(StoredMount volume, string user, List<string> pins)
    {
        pins.Add(services.Volumes.Pin(volume.Name, volume.Subpath!, user, pins.Count));
        return pins[^1];
    }

    /// <summary>A root and what must be let go after it.</summary>
    private sealed class LentRoot(SafeFileHandle root, PrivateMounts? mounts, Func<LentRoot, Task> drop) : IAsyncDisposable
    {
        private bool dropped;

        internal SafeFileHandle Root => root;

        public async ValueTask DisposeAsync()
        {
            if (dropped)
                return;
            dropped = true;
            root.Dispose();
            mounts?.Dispose();
            await drop(this);
        }
    }

    /// <summary>Numbers for users of volumes that are no containers.</summary>
    private static class IdText
    {
        private static long last;

        internal static long Next() => Interlocked.Increment(ref last);
    }
}
