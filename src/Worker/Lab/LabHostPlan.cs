using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Plan;

namespace Orchestrator.Worker.Lab;

/// <summary>
/// How a process becomes the first one of a lab host: in namespaces of its own it mounts what a host has for itself alone, and then waits. The
/// machine's files are the host's too, except /proc, /sys, the cgroups and /run. With its end everything in the host ends at once, as without power.
/// </summary>
internal static class LabHostPlan
{
    /// <summary>CLONE_NEWNS, _NEWUTS, _NEWIPC, _NEWPID, _NEWNET.</summary>
    internal const ulong Namespaces = 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000;

    /// <summary>The descriptors to provide besides those of the groups.</summary>
    internal const string Holder = "holder";
    internal const string Nothing = "nothing";

    private const string CgroupRoot = "/sys/fs/cgroup";
    private const ulong NewCgroup = 0x02000000;
    private const ulong NoSuid = 2;
    private const ulong NoDev = 4;
    private const ulong NoExec = 8;
    private const ulong Bind = 0x1000;
    private const ulong Recursive = 0x4000;
    private const ulong Slave = 1 << 19;
    private const int Detach = 2;
    private const int NotAMount = 22;
    private const int ChildSignal = 17;
    private const int MaskSize = 8;
    private const int CloseOnExec = 4;
    private const int EmptyPath = 0x1000;

    internal static ImmutableArray<LaunchStep> For(LabHostSpec spec) =>
    [
        .. spec.Groups.Select(Join),
        // What is in the group now is the root that the host sees.
        new LaunchStep("unshare the cgroup namespace", CallNumber.unshare, (long)NewCgroup),
        .. spec.SystemGroups.Select(Join),
        // The machine's mounts come and go here too; ours never leave.
        Step.Mount(null, "/", null, Recursive | Slave),
        .. spec.Hidden.Select(point => new LaunchStep($"unmount {point}", CallNumber.umount2, point, Detach) { Tolerate = [NotAMount, Step.NoEntry] }),
        Step.Mount("proc", "/proc", "proc", NoSuid | NoDev | NoExec),
        Step.Mount("sysfs", "/sys", "sysfs", NoSuid | NoDev | NoExec),
        .. Cgroups(spec.Cgroups),
        Step.Mount("tmpfs", "/run", "tmpfs", NoSuid | NoDev, "mode=755"),
        .. spec.Binds.Where(b => b.Target.StartsWith("/run/", StringComparison.Ordinal)).SelectMany(b => Step.MakeFile(b.Target)),
        .. spec.Binds.Select(bind => Step.Mount(bind.Source, bind.Target, null, Bind)),
        new LaunchStep($"set the host name {spec.Hostname}", CallNumber.sethostname, spec.Hostname, spec.Hostname.Length),
        new LaunchStep("setsid", CallNumber.setsid),
        new LaunchStep("close stdin", CallNumber.dup2, Operand.File(Nothing), 0),
        new LaunchStep("close stdout", CallNumber.dup2, Operand.File(Nothing), 1),
        new LaunchStep("close stderr", CallNumber.dup2, Operand.File(Nothing), 2),
        new LaunchStep("chdir /", CallNumber.chdir, "/"),
        // struct kernel_sigaction with SIG_IGN: whoever has no parent any more is collected by the kernel.
        new LaunchStep("ignore SIGCHLD", CallNumber.rt_sigaction, ChildSignal, Operand.Bytes([1, .. new byte[31]]), 0, MaskSize),
        new LaunchStep("close descriptors", CallNumber.close_range, 3, uint.MaxValue, CloseOnExec),
        new LaunchStep("execute the holder", CallNumber.execveat, Operand.File(Holder), "", Operand.Texts([spec.Title]), Operand.Texts([]), EmptyPath),
    ];

    private static LaunchStep Join(string group) => new($"join cgroup {group}", CallNumber.write, Operand.File(group), "0", 1);

    private static IEnumerable<LaunchStep> Cgroups(ImmutableArray<CgroupMount> mounts)
    {
        // sysfs offers one directory for them: several need a file system of their own there.
        if (mounts.Any(m => m.Point.StartsWith(CgroupRoot + "/", StringComparison.Ordinal)))
            yield return Step.Mount("tmpfs", CgroupRoot, "tmpfs", NoSuid | NoDev | NoExec, "mode=755");
        foreach (var mount in mounts)
        {
            foreach (var directory in Step.MakeDirectories(mount.Point))
                yield return directory;
            yield return mount.Controllers.IsEmpty
                ? Step.Mount("cgroup2", mount.Point, "cgroup2", NoSuid | NoDev | NoExec)
                : Step.Mount("cgroup", mount.Point, "cgroup", NoSuid | NoDev | NoExec, string.Join(',', mount.Controllers));
        }
    }
}
