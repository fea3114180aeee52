using System.Collections.Immutable;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers;

/// <summary>A device that a container gets, and how it may use it.</summary>
internal sealed record GrantedDevice(OciDevice Node, string Access);

/// <summary>Looks devices up on the host when a container starts.</summary>
internal static class HostDevices
{
    private const string Root = "/dev";

    /// <summary>Directories of /dev that every container has of its own, and other programs' records.</summary>
    private static readonly string[] OwnDirectories = ["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"];

    /// <summary>Nodes that a container's own terminals are.</summary>
    private static readonly string[] OwnNodes = ["console", "ptmx"];

    /// <summary>Those a container asks for; all of the host's when it is privileged.</summary>
    /// <exception cref="InvalidContainerException">One is not there.</exception>
    internal static ImmutableArray<GrantedDevice> Of(HostConfig host)
    {
        var devices = new Dictionary<string, GrantedDevice>(StringComparer.Ordinal);
        if (host.Privileged)
        {
            foreach (var (path, status) in Below(Root))
                devices[path] = new GrantedDevice(Node(path, status), DeviceRequest.All);
        }

        var problems = new List<Problem>();
        foreach (var asked in host.Devices)
        {
            foreach (var (path, status) in Find(asked.PathOnHost, asked.PathInContainer, problems))
                devices[path] = new GrantedDevice(Node(path, status), asked.CgroupPermissions.Length > 0 ? asked.CgroupPermissions : DeviceRequest.All);
        }

        return problems.Count == 0 ? [.. devices.Values] : throw new InvalidContainerException(problems);
    }

    private static IEnumerable<(string Path, FileStatus Status)> Find(string onHost, string inContainer, List<Problem> problems)
    {
        var real = Resolve(onHost);
        var target = inContainer.Length > 0 ? inContainer : onHost;
        switch (FileOps.Status(real))
        {
            case null:
                problems.Add(new Problem("HostConfig.Devices", $"error gathering device information while adding custom device \"{onHost}\": no such file or directory"));
                return [];
            case { Kind: FileKind.Character or FileKind.Block } device:
                return [(target, device)];
            case { Kind: FileKind.Directory }:
                var found = Below(real).Select(d => (target.TrimEnd('/') + d.Path[real.TrimEnd('/').Length..], d.Status)).ToList();
                if (found.Count == 0)
                    problems.Add(new Problem("HostConfig.Devices", $"no device found in the directory {onHost}"));
                return found;
            default:
                problems.Add(new Problem("HostConfig.Devices", $"error gathering device information while adding custom device \"{onHost}\": not a device node"));
                return [];
        }
    }

    private static string Resolve(string path) =>
        FileOps.Status(path) is { Kind: FileKind.Symlink } ? new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path : path;

    private static IEnumerable<(string Path, FileStatus Status)> Below(string directory)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(directory).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(path);
            var top = directory == Root;
            switch (FileOps.Status(path))
            {
                case { Kind: FileKind.Directory } when !(top && OwnDirectories.Contains(name)):
                    foreach (var below in Below(path))
                        yield return below;
                    break;
                case { Kind: FileKind.Character or FileKind.Block } device when !(top && OwnNodes.Contains(name)):
                    yield return (path, device);
                    break;
                default:
                    break;
            }
        }
    }

    private static OciDevice Node(string path, FileStatus status) => new()
    {
        Type = status.Kind == FileKind.Block ? "b" : "c",
        Path = path,
        Major = status.Major,
        Minor = status.Minor,
        FileMode = status.Permissions,
        Uid = status.Uid,
        Gid = status.Gid,
    };
}
