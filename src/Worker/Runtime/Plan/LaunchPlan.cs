using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Launch;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>A copy of a host path's mount, made by the launching process and attached by the new one.</summary>
internal sealed record DetachedMount(string Name, string Source, bool Recursive, MountOptions Options);

/// <summary>A file system for /dev with its nodes, made by the launching process: in a user namespace nobody may make devices.</summary>
/// <param name="Data">The file system's own options.</param>
/// <param name="Attributes">MOUNT_ATTR_* flags.</param>
internal sealed record DetachedDevices(string? Data, ulong Attributes, ImmutableArray<Spec.OciDevice> Nodes);

/// <summary>The file system of a container's terminals: options as keys with values (empty: none) and MOUNT_ATTR_* flags.</summary>
internal sealed record TerminalMount(ImmutableArray<KeyValuePair<string, string>> Options, ulong Attributes);

/// <summary>A file that the launching process opens for the new one.</summary>
internal readonly record struct FileToOpen(string Name, string Path);

/// <summary>What to open beforehand, which namespaces to clone, and what the new process does step by step.</summary>
internal sealed record LaunchPlan
{
    /// <summary>CLONE_NEW* flags.</summary>
    public required ulong Namespaces { get; init; }

    public required ImmutableArray<FileToOpen> Files { get; init; }
    public required ImmutableArray<DetachedMount> Mounts { get; init; }

    /// <summary>The overlay as key and value pairs for the new mount API, when its options are too long for mount(2).</summary>
    public ImmutableArray<KeyValuePair<string, string>> LongOverlay { get; init; } = [];

    /// <summary>The container's user namespace, if it has one: what is made beforehand is made for its ids.</summary>
    public string? UserPath { get; init; }

    /// <summary>A /dev made beforehand, where the container's root may make no device.</summary>
    public DetachedDevices? Devices { get; init; }

    public required ImmutableArray<LaunchStep> Steps { get; init; }

    /// <summary>The devpts to make beforehand, when the process has a terminal.</summary>
    public TerminalMount? Terminal { get; init; }

    /// <summary>What was asked for and is given in part only, a sentence each.</summary>
    public required ImmutableArray<string> Warnings { get; init; }

    /// <summary>Names of descriptors that every launch provides.</summary>
    internal const string Stdin = "stdin";
    internal const string Stdout = "stdout";
    internal const string Stderr = "stderr";
    internal const string Init = "init";
    internal const string Overlay = "overlay";
    internal const string Dev = "dev";
    internal const string Devpts = "devpts";

    private const int KeyctlJoinSession = 1;
    private const ulong NewCgroup = 0x02000000;

    /// <param name="request">What to launch.</param>
    /// <param name="host">What this host allows.</param>
    /// <param name="cgroup">The container's groups.</param>
    /// <param name="filter">The compiled system call filter, if there is one: instructions and flags.</param>
    /// <param name="look">Says what lies at a path of the host.</param>
    internal static LaunchPlan For(
        LaunchRequest request, HostFacts host, Cgroups.CgroupPlan cgroup, Seccomp.SeccompFilter? filter, Func<string, PathKind> look)
    {
        var spec = request.Spec;
        var warnings = ImmutableArray.CreateBuilder<string>();
        var namespaces = NamespacePlan.For(spec.Linux.Namespaces);
        if (request.Init && !namespaces.Creates("pid"))
            throw new RuntimeException("An init needs a pid namespace of its own.");
        var root = new RootPlan(request, host, cgroup, namespaces, look);
        ImmutableArray<LaunchStep> steps =
        [
            .. namespaces.TakesTwoProcesses ? ProcessPlan.OfTheHost(spec.Process, host, warnings) : Step.None,
            .. namespaces.UserPath is null ? Step.None : [new LaunchStep($"chdir {request.Root.Merged}", CallNumber.chdir, request.Root.Merged)],
            .. cgroup.LegacyDirectories.Select(d => new LaunchStep($"join cgroup {d}", CallNumber.write, Operand.File(d), "0", 1)),
            .. namespaces.SecondProcess(),
            .. namespaces.Creates("cgroup") ? [new LaunchStep("unshare the cgroup namespace", CallNumber.unshare, (long)NewCgroup)] : Step.None,
            .. namespaces.Steps(),
            new LaunchStep("setsid", CallNumber.setsid),
            new LaunchStep("join a session keyring", CallNumber.keyctl, KeyctlJoinSession, $"_ses.{request.Id}") { Tolerate = [Step.NoSuchCall, Step.NotPermitted, Step.QuotaExceeded] },
            new LaunchStep("umask", CallNumber.umask, 0),
            .. StdioPlan.For(spec.Process.Terminal),
            .. root.Steps(),
            .. ProcessPlan.For(spec.Process, new ProcessPlace(namespaces.TakesTwoProcesses, namespaces.UserPath is not null, request.Init), host, filter, warnings),
        ];
        if (spec.Process.Terminal && root.Terminal is null)
            throw new RuntimeException("A terminal needs a devpts of the container's own on /dev/pts.");
        return new LaunchPlan
        {
            Terminal = root.Terminal,
            Namespaces = namespaces.CloneFlags,
            Files = namespaces.Files,
            Mounts = root.Detached,
            LongOverlay = root.LongOverlay,
            UserPath = namespaces.UserPath,
            Devices = root.Devices,
            Steps = steps,
            Warnings = [.. warnings, .. cgroup.Warnings],
        };
    }
}
