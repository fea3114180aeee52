using System.Collections.Immutable;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Files;

/// <summary>The root of a container that does not run, mounted for us alone, with its volumes and binds where it would see them.</summary>
internal static class ContainerRoot
{
    private const int MountDataLimit = 4096; // a page, mount(2)

    /// <param name="directory">The container's.</param>
    /// <param name="lowers">Its image's layers, the topmost first.</param>
    /// <param name="mounts">Binds, in the order of their depth.</param>
    /// <param name="writable">What is written stays; else it goes with the mount, and the container may start meanwhile.</param>
    /// <param name="readOnly">The root itself takes no writes.</param>
    internal static PrivateMounts Mount(
        ContainerDirectory directory, ImmutableArray<string> lowers, ImmutableArray<OciMount> mounts, bool writable, bool readOnly) => PrivateMounts.Make(() =>
    {
        var (root, upper, work) = (directory.Merged, directory.Upper, directory.Work);
        if (!writable)
        {
            Mounts.Mount("tmpfs", directory.Merged, "tmpfs", 0, "mode=700");
            (upper, work, root) = ($"{directory.Merged}/upper", $"{directory.Merged}/work", $"{directory.Merged}/root");
            foreach (var folder in new[] { upper, work, root })
                Directory.CreateDirectory(folder);
            lowers = [directory.Upper, .. lowers];
        }

        Overlay(lowers.IsEmpty ? [directory.MakeEmpty()] : lowers, upper, work, root);
        var opened = FileOps.OpenDirectory(root);
        var paths = new RootedPaths(opened);
        foreach (var mount in mounts)
            Bind(paths, mount);
        if (readOnly)
            Mounts.Mount(null, root, null, Mounts.ReadOnlyFlag | Mounts.BindFlag | 32 /* MS_REMOUNT */, null);
        return opened;
    });

    private static void Overlay(ImmutableArray<string> lowers, string upper, string work, string root)
    {
        var options = $"lowerdir={string.Join(':', lowers)},upperdir={upper},workdir={work},redirect_dir=off,metacopy=off";
        if (Encoding.UTF8.GetByteCount(options) < MountDataLimit && !lowers.Append(upper).Any(p => p.AsSpan().IndexOfAny(":,\\") >= 0))
        {
            Mounts.Mount("overlay", root, "overlay", 0, options);
            return;
        }

        using var tree = MountTree.New("overlay",
        [
            .. lowers.Select(l => KeyValuePair.Create("lowerdir+", l)),
            KeyValuePair.Create("upperdir", upper), KeyValuePair.Create("workdir", work),
            KeyValuePair.Create("redirect_dir", "off"), KeyValuePair.Create("metacopy", "off"),
        ]);
        MountTree.Attach(tree, root);
    }

    private static void Bind(RootedPaths paths, OciMount mount)
    {
        if (FileOps.Status(mount.Source!) is not { } source)
            throw new IOException($"{mount.Destination} cannot be shown: {mount.Source} is not there");
        using var tree = MountTree.Copy(mount.Source!, recursive: mount.Options.Contains("rbind"));
        if (mount.Options.Contains("ro"))
            MountTree.SetAttributes(tree, MountTree.AttrReadOnly, 0, recursive: false, mount.Destination);
        using var place = Place(paths, mount.Destination, source.Kind == FileKind.Directory);
        MountTree.Attach(tree, FileOps.PathOf(place));
    }

    private static SafeFileHandle Place(RootedPaths paths, string destination, bool isDirectory)
    {
        var path = paths.Resolve(destination, LastLink.Followed);
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 1; i <= parts.Length; i++)
        {
            var at = string.Join('/', parts[..i]);
            if (paths.Status(at) is not null)
                continue;
            using var parent = paths.Parent(at, out var leaf) ?? throw new IOException($"{destination} cannot be shown: its parent is no directory");
            if (i < parts.Length || isDirectory)
                FileOps.MakeDirectory(parent, leaf, 0x1ed);
            else
                FileOps.CreateFile(parent, leaf, 0x1a4).Dispose();
        }

        return FileOps.FindInRoot(paths.Root, path, LastLink.Kept) ?? throw new IOException($"{destination} vanished");
    }
}
