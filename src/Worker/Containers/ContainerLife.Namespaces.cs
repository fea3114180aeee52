using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers;

/// <summary>What it shares with other containers, and the ids it has.</summary>
internal sealed partial class ContainerLife
{
    /// <summary>The namespaces and files of others, as they are now.</summary>
    private sealed record JoinedParts
    {
        public string? NetnsPath { get; init; }
        public string? FilesDirectory { get; init; }
        public string? PidPath { get; init; }
        public string? IpcPath { get; init; }
        public string? ShmDirectory { get; init; }
    }

    private JoinedParts Join()
    {
        var modes = NamespaceModes.Of(container.HostConfig);
        var network = Joined(modes.Network, "NetworkMode", "network");
        var pid = Joined(modes.Pid, "PidMode", "PID namespace");
        var ipc = Joined(modes.Ipc, "IpcMode", "IPC namespace");
        if (ipc is not null && NamespaceModes.Of(ipc.Container.HostConfig).Ipc is not (NamespaceModes.Shareable or NamespaceModes.Host))
            throw new InvalidContainerException("HostConfig.IpcMode", $"cannot join IPC of a non-shareable container {ipc.Id[..12]}: make that one with --ipc=shareable");
        return new JoinedParts
        {
            NetnsPath = network is null ? null : $"/proc/{network.State.Pid}/ns/net",
            FilesDirectory = network is null ? null : FilesOf(network),
            PidPath = pid is null ? null : $"/proc/{pid.State.Pid}/ns/pid",
            IpcPath = ipc is null ? null : $"/proc/{ipc.State.Pid}/ns/ipc",
            ShmDirectory = ipc is not null
                ? NamespaceModes.Of(ipc.Container.HostConfig).Ipc == NamespaceModes.Host ? "/dev/shm" : new ContainerDirectory(services.Root, ipc.Id).Shm
                : modes.Ipc == NamespaceModes.Shareable ? MakeShm() : null,
        };
    }

    /// <summary>Those of the container whose network it is in the end.</summary>
    private string FilesOf(ContainerSnapshot owner)
    {
        for (var depth = 0; depth < 16 && NamespaceModes.ContainerOf(owner.Container.HostConfig.NetworkMode ?? "") is { } next && find(next) is { } further; depth++)
            owner = further;
        return new ContainerDirectory(services.Root, owner.Id).Root;
    }

    private ContainerSnapshot? Joined(string mode, string field, string what)
    {
        if (NamespaceModes.ContainerOf(mode) is not { } reference)
            return null;
        var other = find(reference) ?? throw new InvalidContainerException("HostConfig." + field, $"No such container: {reference}");
        if (other.Id == Id)
            throw new InvalidContainerException("HostConfig." + field, $"cannot join own {what}");
        if (!other.IsRunning)
            throw new InvalidContainerException("HostConfig." + field, $"cannot join {what} of a non running container: {reference}");
        if (other.Container.Remap != container.Remap)
            throw new InvalidContainerException("HostConfig." + field, $"cannot join {what} of container {reference}: the two have different user namespaces");
        return other;
    }

    /// <summary>Shared memory that others may join lies in a file system of its own on the host; it ends with the container.</summary>
    private string MakeShm()
    {
        ReleaseShm();
        Directory.CreateDirectory(directory.Shm);
        using var tree = MountTree.New("tmpfs", [KeyValuePair.Create("mode", "1777"), KeyValuePair.Create("size", $"{SpecDefaults.ShmBytes(container.HostConfig.ShmSize)}")]);
        MountTree.Attach(tree, directory.Shm);
        return directory.Shm;
    }

    private void ReleaseShm() => directory.UnmountShm();

    private string? UserPath() => container.Remap is { } remap
        ? (services.UserNamespace ?? throw new InvalidOperationException("a container has a user namespace and this host makes none"))(remap)
        : null;
}
