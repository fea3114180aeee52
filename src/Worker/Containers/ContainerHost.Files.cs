using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Files;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Unpack;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers;

/// <summary>No file or directory at the path in the container (404).</summary>
internal sealed class ContainerPathException(string container, string path)
    : Exception($"Could not find the file {path} in container {container}");

/// <summary>How much a container holds.</summary>
/// <param name="Written">Bytes that it wrote.</param>
/// <param name="Root">With its image's.</param>
internal sealed record ContainerSize(long Written, long Root);

/// <summary>Files in and out of containers, what changed, and how much there is.</summary>
internal sealed partial class ContainerHost
{
    internal Task<PathStat> StatPathAsync(string reference, string path, CancellationToken stop) =>
        index.Find(reference).WithRootAsync(write: false, root => Stat(new RootedPaths(root), reference, path).Stat, stop);

    /// <summary>Writes what is at the path as a tar.</summary>
    /// <param name="reference">The container.</param>
    /// <param name="path">A link at its end is archived as a link.</param>
    /// <param name="begin">Told what it is, and gives the stream; nothing is written when there is nothing at the path.</param>
    /// <param name="stop">Cancels.</param>
    /// <exception cref="ContainerPathException">Nothing is there.</exception>
    internal Task ReadArchiveAsync(string reference, string path, Func<PathStat, Stream> begin, CancellationToken stop) =>
        index.Find(reference).WithRootAsync(write: false, root =>
        {
            var paths = new RootedPaths(root);
            var (stat, resolved) = Stat(paths, reference, path);
            using var parent = resolved.Length == 0 ? FileOps.OpenDirectory(root, ".") : paths.Parent(resolved, out _) ?? throw new ContainerPathException(reference, path);
            new ArchiveWriter(begin(stat), stop).Write(parent, resolved.Length == 0 ? "." : Path.GetFileName(resolved), stat.Name == "/" ? "." : stat.Name);
            return true;
        }, stop);

    /// <summary>Unpacks a tar below a directory of the container.</summary>
    /// <exception cref="ContainerPathException">The directory is not there.</exception>
    /// <exception cref="ContainerReadOnlyException">The root or the volume takes no writes.</exception>
    internal Task ExtractAsync(string reference, string path, bool keepKinds, bool ownByUser, Stream archive, CancellationToken stop)
    {
        var life = index.Find(reference);
        return life.WithRootAsync(write: true, root =>
        {
            var paths = new RootedPaths(root);
            var into = paths.Resolve(path, LastLink.Followed);
            if (paths.Status(into) is not { } status)
                throw new ContainerPathException(reference, path);
            if (status.Kind != FileKind.Directory)
                throw new InvalidContainerException("path", "extraction point is not a directory");
            using var reader = new ArchiveReader(paths, into, new ExtractOptions { KeepKinds = keepKinds, Owner = ownByUser ? Owner(life.Snapshot, root) : null });
            try
            {
                reader.Read(new TarScanner(archive), stop);
            }
            catch (LinuxException e) when (e.Errno == FileErrno.EROFS)
            {
                throw new ContainerReadOnlyException(
                    life.Snapshot.Container.HostConfig.ReadonlyRootfs ? "container rootfs is marked read-only" : "mounted volume is marked read-only", e);
            }

            return true;
        }, stop);
    }

    /// <summary>What the container added, changed and deleted in its image.</summary>
    internal async Task<IReadOnlyList<FilesystemChange>> ChangesAsync(string reference, CancellationToken stop)
    {
        var (directory, layers, places) = await LayersAsync(index.Find(reference).Snapshot.Container, stop);
        return await Task.Run(() => new LayerChanges(directory.Upper, layers, places).All(), stop);
    }

    /// <summary>Writes the whole root file system as a tar, volumes left out.</summary>
    internal async Task ExportAsync(string reference, Stream to, CancellationToken stop)
    {
        var container = index.Find(reference).Snapshot.Container;
        ContainerLife.RefuseRemapped(container);
        var (directory, layers, _) = await LayersAsync(container, stop);
        await Task.Run(() =>
        {
            var tar = new TarComposer(to);
            foreach (var (entry, host) in ViewEntries.Of(new LayeredView([directory.Upper, .. layers]).Find("")!, ""))
            {
                stop.ThrowIfCancellationRequested();
                if (entry.Name is "/" or "")
                    continue;
                using var content = entry.Size > 0 ? File.OpenRead(host) : null;
                tar.Write(entry, content);
            }

            tar.Finish();
        }, stop);
        var life = index.Find(container.Id);
        services.Events.Publish("container", "export", container.Id, new Dictionary<string, string>(container.Config.Labels) { ["image"] = container.Config.Image, ["name"] = life.Snapshot.Container.Name });
    }

    /// <summary>What a container wrote as a layer: for an image made of it.</summary>
    internal async Task<ContainerLayer> LayerOfAsync(string reference, CancellationToken stop)
    {
        var container = index.Find(reference).Snapshot.Container;
        ContainerLife.RefuseRemapped(container);
        var (directory, layers, places) = await LayersAsync(container, stop);
        return new ContainerLayer(container, directory.Upper, new LayerChanges(directory.Upper, layers, places).IsPlace);
    }

    /// <summary>Null: it is gone.</summary>
    internal async Task<ContainerSize?> SizeAsync(string id, CancellationToken stop)
    {
        if (index.TryGet(id)?.Snapshot.Container is not { } container)
            return null;
        var upper = new ContainerDirectory(services.Root, container.Id).Upper;
        var written = await Task.Run(() => TreeSize.Of(upper, stop), stop);
        var image = await services.Images.ResolveAsync(container.ImageId, stop);
        return new ContainerSize(written, written + (image?.Size ?? 0));
    }

    /// <summary>The same rows with their sizes.</summary>
    internal async Task<IReadOnlyList<ContainerSummary>> WithSizesAsync(IReadOnlyList<ContainerSummary> rows, CancellationToken stop)
    {
        var all = new List<ContainerSummary>();
        foreach (var row in rows)
            all.Add(await SizeAsync(row.Id, stop) is { } size ? row with { SizeRw = size.Written, SizeRootFs = size.Root } : row);
        return all;
    }

    private static (PathStat Stat, string Resolved) Stat(RootedPaths paths, string container, string path)
    {
        var asked = "/" + path.TrimStart('/');
        // A slash or dot at the end asks for what a link leads to.
        var ends = asked.EndsWith('/') || asked.EndsWith("/.", StringComparison.Ordinal);
        var resolved = paths.Resolve(asked, ends ? LastLink.Followed : LastLink.Kept);
        if (paths.Status(resolved) is not { } status || (ends && status.Kind != FileKind.Directory))
            throw new ContainerPathException(container, path);
        var target = status.Kind == FileKind.Symlink ? "/" + paths.Resolve(asked, LastLink.Followed) : "";
        // As Go's filepath.Base: "/dir/." is ".", the content of dir, while "/dir" and "/dir/" are dir itself.
        var name = asked.TrimEnd('/') is { Length: > 0 } bare ? bare[(bare.LastIndexOf('/') + 1)..] : "/";
        return (PathStat.Of(name, status, target), resolved);
    }

    private async Task<(ContainerDirectory Directory, ImmutableArray<string> Layers, IReadOnlySet<string> Places)> LayersAsync(
        StoredContainer container, CancellationToken stop)
    {
        var layers = await services.Images.AcquireLayersAsync(container.ImageId, container.Id, stop);
        var places = SpecDefaults.Mounts(container.HostConfig.ShmSize).Select(m => m.Destination)
            .Concat(SpecPlan.GeneratedFiles.Select(f => f.Target))
            .Concat(VolumePlan.Points(container).Select(p => p.Destination))
            .Select(p => p.Trim('/')).ToHashSet(StringComparer.Ordinal);
        return (new ContainerDirectory(services.Root, container.Id), layers.LowerDirs, places);
    }

    /// <summary>The container's own user, in the numbers of its own files.</summary>
    private (uint Uid, uint Gid)? Owner(ContainerSnapshot snapshot, SafeFileHandle root)
    {
        if (string.IsNullOrEmpty(snapshot.Container.Config.User))
            return null;
        var user = ContainerUser.Find([FileOps.PathOf(root)], snapshot.Container.Config.User, []).Ids;
        return (user.Uid, user.Gid);
    }
}

/// <summary>What a container wrote.</summary>
/// <param name="Container">The container.</param>
/// <param name="Upper">The overlay's upper directory.</param>
/// <param name="IsPlace">Tells paths that are there only to be mounted on.</param>
internal sealed record ContainerLayer(StoredContainer Container, string Upper, Func<string, bool> IsPlace);

/// <summary>The container's root or one of its volumes takes no writes (403).</summary>
internal sealed class ContainerReadOnlyException(string message, Exception inner) : Exception(message, inner);
