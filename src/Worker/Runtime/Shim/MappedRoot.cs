using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Runtime.Spec;
using Orchestrator.Worker.Runtime.Users;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// The root of a container with a user namespace. Its layers are shown with the container's owners (a mapped overlay upper is silently
/// read-only, so only the lower ones are mapped); what the container writes lies in the upper directory under the host's ids.
/// </summary>
internal static class MappedRoot
{
    private const int Invalid = 22;
    private const uint DirectoryMode = 0x1ed;

    /// <summary>The overlay, mounted nowhere yet.</summary>
    internal static SafeFileHandle Overlay(
        OverlayRoot root, SafeFileHandle user, OciLinux ids, ImmutableArray<KeyValuePair<string, string>> options)
    {
        var layers = new List<SafeFileHandle>();
        try
        {
            foreach (var layer in root.LowerLayers)
            {
                layers.Add(MountTree.Copy(layer, recursive: false));
                Map(layers[^1], user, layer);
            }
            Give(root.Upper, "", ids, new OciUser());
            return MountTree.New(
                "overlay",
                [
                    .. layers.Select(l => KeyValuePair.Create("lowerdir+", $"/proc/self/fd/{l.DangerousGetHandle()}")),
                    KeyValuePair.Create("upperdir", root.Upper),
                    KeyValuePair.Create("workdir", root.Work),
                    .. options,
                ]);
        }
        finally
        {
            layers.ForEach(l => l.Dispose());
        }
    }

    /// <summary>The file system for /dev with its nodes, mounted nowhere yet: made by the host's root, so that they work.</summary>
    internal static SafeFileHandle Dev(DetachedDevices devices, OciLinux ids)
    {
        var options = (devices.Data ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(o => o.Split('=', 2)).Select(o => KeyValuePair.Create(o[0], o.Length > 1 ? o[1] : ""))
            .Append(KeyValuePair.Create("uid", $"{IdMap.ToHost(ids.UidMappings, 0, "user")}"))
            .Append(KeyValuePair.Create("gid", $"{IdMap.ToHost(ids.GidMappings, 0, "group")}"));
        var tree = MountTree.New("tmpfs", options);
        try
        {
            foreach (var device in devices.Nodes)
                MakeNode(tree, device, ids);
            if (devices.Attributes != 0)
                MountTree.SetAttributes(tree, devices.Attributes, 0, recursive: false, "/dev");
            return tree;
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    /// <summary>Shows a copied mount with the container's owners; false where its file system cannot.</summary>
    internal static bool TryMap(DetachedMount mount, SafeFileHandle tree, SafeFileHandle user)
    {
        try
        {
            MountTree.MapOwners(tree, user, mount.Options.MapOwnersBelow, mount.Source);
            return true;
        }
        catch (LinuxException cannot) when (cannot.Errno == Invalid)
        {
            return false;
        }
    }

    private static void Map(SafeFileHandle tree, SafeFileHandle user, string layer)
    {
        try
        {
            MountTree.MapOwners(tree, user, recursive: false, layer);
        }
        catch (LinuxException cannot) when (cannot.Errno == Invalid)
        {
            throw new RuntimeException(
                $"the file system of {layer} cannot show its owners through a user namespace (ext4, xfs, btrfs and tmpfs can, from Linux 5.12 to 6.3 on): run the container with --userns=host", cannot);
        }
    }

    private static void MakeNode(SafeFileHandle tree, OciDevice device, OciLinux ids)
    {
        if (!device.Path.StartsWith("/dev/", StringComparison.Ordinal) || device.Path.Split('/').Any(p => p is "." or ".."))
            throw new RuntimeException($"The device {device.Path} is not below /dev: elsewhere a container with a user namespace cannot have one.");
        var root = $"/proc/self/fd/{tree.DangerousGetHandle()}";
        var name = device.Path["/dev/".Length..];
        for (var slash = name.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = name.IndexOf('/', slash + 1))
        {
            if (KernelFile.MakeDirectory($"{root}/{name[..slash]}", DirectoryMode))
                Give(root, name[..slash], ids, new OciUser());
        }
        using var parent = FileOps.OpenDirectory(root);
        FileOps.MakeNode(parent, name, DevicePlan.Kind(device) | DevicePlan.Mode(device), (uint)device.Major, (uint)device.Minor);
        FileOps.ChangeMode(parent, name, DevicePlan.Mode(device)); // whatever the umask
        Give(root, name, ids, new OciUser { Uid = device.Uid ?? 0, Gid = device.Gid ?? 0 });
    }

    private static void Give(string directory, string name, OciLinux ids, OciUser user)
    {
        using var parent = FileOps.OpenDirectory(name.Length == 0 ? Path.GetDirectoryName(directory)! : directory);
        FileOps.ChangeOwner(
            parent, name.Length == 0 ? Path.GetFileName(directory) : name,
            IdMap.ToHost(ids.UidMappings, user.Uid, "user"), IdMap.ToHost(ids.GidMappings, user.Gid, "group"));
    }
}
