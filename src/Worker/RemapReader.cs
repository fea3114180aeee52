using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Users;

namespace Orchestrator.Worker;

/// <summary>Finds the ids of <c>--userns-remap</c> and tries whether this machine can use them.</summary>
internal static class RemapReader
{
    private const int Invalid = 22;
    private static readonly Version NeededKernel = new(6, 5);

    /// <exception cref="RuntimeException">It cannot be; the message says why.</exception>
    internal static UserRemap Read(string flag, string dataRoot, string execRoot)
    {
        var (remap, problem) = RemapPlan.Of(flag, Text("/etc/subuid"), Text("/etc/subgid"), Text("/etc/passwd"), Text("/etc/group"));
        if (remap is null)
            throw new RuntimeException($"--userns-remap: {problem}");
        if (Environment.OSVersion.Version < NeededKernel)
            throw new RuntimeException($"--userns-remap: layers are mounted with their owners mapped, which needs Linux {NeededKernel}; this is {Environment.OSVersion.Version}");
        try
        {
            using var user = KernelFile.Open(UserNamespaces.Ensure(Path.Combine(execRoot, "userns"), remap.Uids, remap.Gids), KernelFile.ReadOnly);
            using var tree = MountTree.Copy(dataRoot, recursive: false);
            MountTree.MapOwners(tree, user, recursive: false, dataRoot);
            return remap;
        }
        catch (LinuxException cannot) when (cannot.Errno == Invalid)
        {
            throw new RuntimeException($"--userns-remap: the file system of {dataRoot} cannot show its owners through a user namespace (ext4, xfs and btrfs can)", cannot);
        }
        catch (LinuxException failed)
        {
            throw new RuntimeException($"--userns-remap: {failed.Message}", failed);
        }
    }

    private static string Text(string path) => File.Exists(path) ? File.ReadAllText(path) : "";
}
