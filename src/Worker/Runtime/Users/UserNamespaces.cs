using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Users;

/// <summary>
/// User namespaces by mapping, each with a name in the file system that daemon and shim share: what belongs to a container (its network
/// above all) must belong to the very namespace that the container is in. A process of many threads can neither make nor enter one, so
/// short-lived children do.
/// </summary>
internal static class UserNamespaces
{
    private const ulong NewUser = 0x10000000;
    private const ulong NewNetwork = 0x40000000;
    private const ulong ShareFiles = 0x400;
    private const int AtCwd = -100;

    // Two containers that start at once may be the first of their mapping.
    private static readonly Lock Gate = new();

    /// <summary>The path of the namespace with this mapping below the directory; made when it is not there.</summary>
    internal static string Ensure(string directory, ImmutableArray<OciIdMapping> uids, ImmutableArray<OciIdMapping> gids)
    {
        lock (Gate)
            return EnsureAlone(directory, uids, gids);
    }

    private static string EnsureAlone(string directory, ImmutableArray<OciIdMapping> uids, ImmutableArray<OciIdMapping> gids)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{IdMap.Text(uids)}/{IdMap.Text(gids)}")).AsSpan(0, 8));
        var path = Path.Combine(directory, name);
        if (Namespaces.PinnedBelow(directory).Contains(path))
            return path;
        Directory.CreateDirectory(directory);
        using var made = Make(uids, gids);
        Namespaces.Pin(made, path);
        return path;
    }

    /// <summary>A new network namespace that belongs to the user namespace at the path.</summary>
    internal static SafeFileHandle MakeNetwork(string userPath)
    {
        using var user = KernelFile.Open(userPath, KernelFile.ReadOnly);
        ImmutableArray<LaunchStep> steps =
        [
            new($"enter user namespace {userPath}", CallNumber.setns, Operand.File("user"), (long)NewUser),
            new("make a network namespace", CallNumber.unshare, (long)NewNetwork),
            // Descriptors are shared: what it opens is ours.
            new("open the network namespace", CallNumber.openat, AtCwd, "/proc/self/ns/net", KernelFile.ReadOnly | KernelFile.CloseOnExec, 0) { Keep = "net" },
            new("end", CallNumber.exit_group, 0),
        ];
        using var program = new LaunchProgram(steps, Files("user", user));
        try
        {
            var child = program.Run(ShareFiles, cgroup: null);
            using (child.PidFd)
                PidFd.Wait(child.PidFd);
            return new SafeFileHandle((nint)program.Kept("net"), ownsHandle: true);
        }
        catch (LaunchFailedException failed)
        {
            throw new LinuxException(failed.Step.Name, failed.Errno);
        }
    }

    private static SafeFileHandle Make(ImmutableArray<OciIdMapping> uids, ImmutableArray<OciIdMapping> gids)
    {
        var (reader, writer) = KernelFile.Pipe();
        using (reader)
        using (writer)
        {
            ImmutableArray<LaunchStep> steps =
            [
                new("close the pipe's writing end", CallNumber.close, Operand.File("writer")),
                new("wait for the mapping", CallNumber.read, Operand.File("reader"), Operand.Bytes([.. new byte[16]]), 1),
                new("end", CallNumber.exit_group, 0),
            ];
            using var program = new LaunchProgram(steps, Files("reader", reader, "writer", writer));
            var child = program.Fork(NewUser);
            using (child.PidFd)
            {
                try
                {
                    KernelFile.Write($"/proc/{child.Pid}/gid_map", IdMap.Text(gids));
                    KernelFile.Write($"/proc/{child.Pid}/uid_map", IdMap.Text(uids));
                    return KernelFile.Open($"/proc/{child.Pid}/ns/user", KernelFile.ReadOnly);
                }
                finally
                {
                    PidFd.Signal(child.PidFd, 9);
                    PidFd.Wait(child.PidFd);
                }
            }
        }
    }

    private static Dictionary<string, int> Files(string name, SafeFileHandle file, string? second = null, SafeFileHandle? other = null)
    {
        var files = new Dictionary<string, int>(StringComparer.Ordinal) { [name] = (int)file.DangerousGetHandle() };
        if (second is not null)
            files.Add(second, (int)other!.DangerousGetHandle());
        return files;
    }
}
