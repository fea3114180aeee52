using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>
/// The container's file system. Everything but the root itself is mounted after pivot_root, where an image's symbolic links
/// can lead nowhere but into the image; sources on the host are attached as detached mounts. /proc comes last, when no
/// descriptor of the host is open any more: before, /proc/self/fd would lead out.
/// </summary>
internal sealed class RootPlan(
    LaunchRequest request, HostFacts host, CgroupPlan cgroup, NamespacePlan namespaces, Func<string, PathKind> look)
{
    private const int MountDataLimit = 4095;
    private const int AtCwd = -100;
    private const int MoveEmptyPath = 4;
    private const int LazyUnmount = 2;
    private const int InitDescriptor = 3;
    private const int CloseOnExec = 0x80000;
    private const int HereItself = 0x44; // both ends are descriptors: MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH
    private const int FsCloseOnExec = 1;
    private const int FsCreate = 6;
    private const ulong SameAttributes = 0xf; // ro, nosuid, nodev, noexec
    private const string CgroupTmpfs = "mode=755,size=0k,nr_inodes=64";

    /// <summary>The upper directory alone is then the difference, whatever the kernel's defaults: it may become a layer.</summary>
    private static readonly ImmutableArray<KeyValuePair<string, string>> WholeDifference =
        [KeyValuePair.Create("redirect_dir", "off"), KeyValuePair.Create("metacopy", "off")];

    /// <summary>What may be mounted below /proc (as runc allows): files that lxcfs and the like replace.</summary>
    private static readonly ImmutableArray<string> AllowedInProc =
    [
        "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime", "/proc/loadavg", "/proc/slabinfo",
    ];

    private readonly ImmutableArray<DetachedMount>.Builder detached = ImmutableArray.CreateBuilder<DetachedMount>();
    private readonly OciSpec spec = request.Spec;

    /// <summary>Complete when <see cref="Steps"/> has been called.</summary>
    internal ImmutableArray<DetachedMount> Detached => detached.ToImmutable();

    internal ImmutableArray<KeyValuePair<string, string>> LongOverlay { get; private set; } = [];

    internal ImmutableArray<LaunchStep> Steps()
    {
        foreach (var mount in spec.Mounts)
            Check(mount);
        var late = spec.Mounts.Where(m => m.Type == "proc" || Below("/proc", m.Destination)).ToList();
        return
        [
            Step.Mount(null, "/", null, MountOptions.RecursiveFlag | MountOptions.Private),
            .. spec.Mounts.Where(IsRevealed).SelectMany(Reveal),
            .. Overlay(),
            .. namespaces.UserPath is null ? [new LaunchStep($"chdir {request.Root.Merged}", CallNumber.chdir, request.Root.Merged)] : Step.None,
            new LaunchStep($"pivot_root into {request.Root.Merged}", CallNumber.pivot_root, ".", "."),
            new LaunchStep("unmount the host's root", CallNumber.umount2, ".", LazyUnmount),
            new LaunchStep("chdir /", CallNumber.chdir, "/"),
            .. spec.Mounts.Except(late).SelectMany(Mount),
            .. new DevicePlan(spec, look).Steps(OwnDevices),
            .. spec.Process.Cwd != "/" ? Step.MakeDirectories(spec.Process.Cwd.TrimEnd('/')) : [],
            .. Names(),
            .. late.Where(m => m.Type == "proc").SelectMany(Mount),
            .. late.Where(m => m.Type != "proc").SelectMany(Mount),
            .. new MaskPlan(spec, look, FreshDev, Detach).Steps(),
            .. CloseDescriptors(),
            .. new SysctlPlan(spec, namespaces).Steps(),
            .. MaskPlan.ReadOnlyPaths(spec, look),
            .. spec.Root?.Readonly == true ? [Step.Mount(null, "/", null, MountOptions.Remount | MountOptions.BindFlag | MountOptions.ReadOnly)] : Step.None,
            .. MountOptions.ParsePropagation(spec.Linux.RootfsPropagation) is { } propagation ? [Step.Mount(null, "/", null, propagation)] : Step.None,
        ];
    }

    /// <summary>A file system of its own, so that nobody but us has made what is in it.</summary>
    private bool FreshDev => spec.Mounts.Any(m => m is { Destination: "/dev", Type: "tmpfs" });

    /// <summary>What /dev is made of beforehand; complete when <see cref="Steps"/> has been called.</summary>
    internal DetachedDevices? Devices { get; private set; }

    /// <summary>What terminals are made of beforehand; complete when <see cref="Steps"/> has been called.</summary>
    internal TerminalMount? Terminal { get; private set; }

    /// <summary>Nodes come with a /dev made beforehand: the root of a user namespace may make none.</summary>
    private bool OwnDevices => namespaces.UserPath is not null;

    /// <summary>
    /// A file system that shows the kernel may be mounted in a user namespace only while the host's is still in sight
    /// (mount_namespaces(7)), so it is made before the host's root goes and attached after.
    /// </summary>
    private bool IsRevealed(OciMount mount) => namespaces.UserPath is not null && mount.Type is ("proc" or "sysfs");

    private static IEnumerable<LaunchStep> Reveal(OciMount mount)
    {
        var options = MountOptions.Parse(mount.Options);
        if (options.Data is not null)
            throw new RuntimeException($"The mount on {mount.Destination} has the options {options.Data}, which {mount.Type} does not take in a user namespace.");
        var type = mount.Type!;
        return
        [
            new LaunchStep($"fsopen {type}", CallNumber.fsopen, type, FsCloseOnExec) { Keep = $"fs {type}" },
            new LaunchStep($"create {type}", CallNumber.fsconfig, Operand.Result($"fs {type}"), FsCreate, 0, 0, 0),
            new LaunchStep($"mount {type}", CallNumber.fsmount, Operand.Result($"fs {type}"), FsCloseOnExec, (long)(options.AttributesSet & SameAttributes)) { Keep = $"mount {type}" },
        ];
    }

    private void Check(OciMount mount)
    {
        var parts = mount.Destination.Split('/');
        if (!mount.Destination.StartsWith('/') || parts.Any(p => p is "." or "..") || mount.Destination == "/")
            throw new RuntimeException($"'{mount.Destination}' is not an absolute path below / to mount on.");
        if (Below("/proc", mount.Destination) && !AllowedInProc.Contains(mount.Destination))
            throw new RuntimeException($"{mount.Destination} cannot be mounted on: it is inside /proc.");
        if (mount.Type == "proc" && mount.Destination != "/proc")
            throw new RuntimeException($"proc can be mounted on /proc only, not on {mount.Destination}.");
    }

    private IEnumerable<LaunchStep> Overlay()
    {
        var root = request.Root;
        if (root.LowerLayers.IsEmpty)
            throw new RuntimeException("A container's root needs at least one layer.");
        if (namespaces.UserPath is not null)
        {
            // Layers and directories are named by descriptors when it is made. Its place is where the process stands: a path to it
            // leads through directories that are closed to the container's root.
            LongOverlay = [.. WholeDifference];
            return
            [
                new LaunchStep("mount overlay", CallNumber.move_mount, Operand.File(LaunchPlan.Overlay), "", AtCwd, "", HereItself),
                new LaunchStep("enter the overlay", CallNumber.fchdir, Operand.File(LaunchPlan.Overlay)),
            ];
        }
        var paths = root.LowerLayers.Append(root.Upper).Append(root.Work);
        var options = $"lowerdir={string.Join(':', root.LowerLayers)},upperdir={root.Upper},workdir={root.Work},{string.Join(',', WholeDifference.Select(o => $"{o.Key}={o.Value}"))}";
        if (System.Text.Encoding.UTF8.GetByteCount(options) <= MountDataLimit && !paths.Any(p => p.AsSpan().IndexOfAny(":,\\") >= 0))
            return [Step.Mount("overlay", root.Merged, "overlay", 0, options)];
        LongOverlay =
        [
            .. root.LowerLayers.Select(l => KeyValuePair.Create("lowerdir+", l)),
            KeyValuePair.Create("upperdir", root.Upper),
            KeyValuePair.Create("workdir", root.Work),
            .. WholeDifference,
        ];
        return [Attach(LaunchPlan.Overlay, "overlay", root.Merged)];
    }

    private IEnumerable<LaunchStep> Mount(OciMount mount)
    {
        var options = MountOptions.Parse(mount.Options);
        var target = mount.Destination.TrimEnd('/');
        if (options.Bind || mount.Type == "bind")
            return Bind(mount, options, target);
        if (options.RecursiveAttributesSet != 0 || options.RecursiveAttributesCleared != 0)
            throw new RuntimeException($"Recursive options on {target}: they are for bind mounts only.");
        if (mount.Type is "cgroup" or "cgroup2")
            return Cgroup(options, target);
        if (IsRevealed(mount))
        {
            return
            [
                .. Step.MakeDirectories(target),
                new LaunchStep($"mount {mount.Type} on {target}", CallNumber.move_mount, Operand.Result($"mount {mount.Type}"), "", AtCwd, target, MoveEmptyPath),
            ];
        }
        if (OwnDevices && target == "/dev" && mount.Type == "tmpfs")
        {
            Devices = new DetachedDevices(options.Data, options.AttributesSet & SameAttributes, DevicePlan.Nodes(spec));
            return [.. Step.MakeDirectories(target), Attach(LaunchPlan.Dev, "tmpfs", target)];
        }
        if (spec.Process.Terminal && target == "/dev/pts" && mount.Type == "devpts")
            return Terminals(options, target);
        if (string.IsNullOrEmpty(mount.Type))
            throw new RuntimeException($"The mount on {target} has no type.");
        return
        [
            .. Step.MakeDirectories(target),
            Step.Mount(mount.Source ?? mount.Type, target, mount.Type, options.Flags, options.Data),
            .. options.Propagation is { } propagation ? [Step.Mount(null, target, null, propagation)] : Step.None,
        ];
    }

    /// <summary>Made beforehand with the container's terminal in it, which is number 0 and its console.</summary>
    private ImmutableArray<LaunchStep> Terminals(MountOptions options, string target)
    {
        Terminal = new TerminalMount(
            [.. (options.Data ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(o => o.Split('=', 2)).Select(o => KeyValuePair.Create(o[0], o.Length > 1 ? o[1] : ""))],
            options.AttributesSet & SameAttributes);
        return
        [
            .. Step.MakeDirectories(target),
            Attach(LaunchPlan.Devpts, "devpts", target),
            .. options.Propagation is { } propagation ? [Step.Mount(null, target, null, propagation)] : Step.None,
            .. Step.MakeFile("/dev/console"),
            Step.Mount("/dev/pts/0", "/dev/console", null, MountOptions.BindFlag),
        ];
    }

    private ImmutableArray<LaunchStep> Bind(OciMount mount, MountOptions options, string target)
    {
        var source = mount.Source ?? throw new RuntimeException($"The bind mount on {target} has no source.");
        var kind = look(source);
        if (kind == PathKind.Missing)
            throw new RuntimeException($"mount {source} on {target}: the source does not exist");
        var name = Detach(source, options);
        return
        [
            .. Below("/proc", target) ? [] : kind == PathKind.Directory ? Step.MakeDirectories(target) : Step.MakeFile(target),
            Attach(name, source, target),
            Step.Mount(null, target, null, options.Propagation ?? (MountOptions.Private | MountOptions.RecursiveFlag)),
        ];
    }

    private string Detach(string source, MountOptions options)
    {
        var name = $"mount {detached.Count}";
        detached.Add(new DetachedMount(name, source, options.Recursive, options));
        return name;
    }

    /// <summary>The container's own groups, as seen from its cgroup namespace; without one, the host's whole hierarchies.</summary>
    private List<LaunchStep> Cgroup(MountOptions options, string target)
    {
        var steps = new List<LaunchStep>(Step.MakeDirectories(target));
        if (host.Cgroups.Legacy.IsEmpty)
        {
            steps.Add(Step.Mount("cgroup", target, "cgroup2", options.Flags));
            return steps;
        }
        var once = options.Flags & ~MountOptions.ReadOnly;
        steps.Add(Step.Mount("tmpfs", target, "tmpfs", once, CgroupTmpfs));
        foreach (var hierarchy in host.Cgroups.Legacy.Where(h => cgroup.LegacyDirectories.Any(d => d.StartsWith(h.MountPoint + "/", StringComparison.Ordinal))))
        {
            var name = string.Join(',', hierarchy.Controllers);
            steps.AddRange(Step.MakeDirectories($"{target}/{name}").TakeLast(1));
            steps.Add(Step.Mount("cgroup", $"{target}/{name}", "cgroup", options.Flags, name));
            if (hierarchy.Controllers.Length > 1)
                steps.AddRange(hierarchy.Controllers.Select(c => new LaunchStep($"link {target}/{c}", CallNumber.symlink, name, $"{target}/{c}")));
        }
        if ((options.Flags & MountOptions.ReadOnly) != 0)
            steps.Add(Step.Mount(null, target, null, options.Flags | MountOptions.Remount | MountOptions.BindFlag));
        return steps;
    }

    private IEnumerable<LaunchStep> Names()
    {
        foreach (var (name, call, kind) in new[] { (spec.Hostname, CallNumber.sethostname, "host"), (spec.Domainname, CallNumber.setdomainname, "domain") })
        {
            if (string.IsNullOrEmpty(name))
                continue;
            if (!namespaces.Separate("uts"))
                throw new RuntimeException($"A {kind} name needs a uts namespace of the container's own.");
            yield return new LaunchStep($"set the {kind} name to {name}", call, name, System.Text.Encoding.UTF8.GetByteCount(name));
        }
    }

    /// <summary>Nothing of the host stays open but the init's file, which takes the first free number.</summary>
    private ImmutableArray<LaunchStep> CloseDescriptors() => request.Init
        ?
        [
            new LaunchStep("keep the init", CallNumber.dup3, Operand.File(LaunchPlan.Init), InitDescriptor, CloseOnExec),
            new LaunchStep("close descriptors", CallNumber.close_range, InitDescriptor + 1, uint.MaxValue, 0),
        ]
        : [new LaunchStep("close descriptors", CallNumber.close_range, InitDescriptor, uint.MaxValue, 0)];

    private static LaunchStep Attach(string name, string subject, string target) =>
        new($"mount {subject} on {target}", CallNumber.move_mount, Operand.File(name), "", AtCwd, target, MoveEmptyPath);

    private static bool Below(string directory, string path) => path.StartsWith(directory + "/", StringComparison.Ordinal);
}
