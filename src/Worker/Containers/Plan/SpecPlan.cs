using System.Collections.Immutable;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>What is known only when a container starts.</summary>
internal sealed record StartFacts
{
    /// <summary>Null: the host's own network.</summary>
    public required string? NetnsPath { get; init; }

    /// <summary>Numbers, from the image's /etc/passwd and /etc/group.</summary>
    public required OciUser User { get; init; }

    /// <summary>The user's home directory.</summary>
    public required string Home { get; init; }

    /// <summary>Numbers of the block devices that limits name.</summary>
    public ImmutableDictionary<string, (uint Major, uint Minor)> Blocks { get; init; } = ImmutableDictionary<string, (uint, uint)>.Empty;

    /// <summary>Where the generated /etc/hosts, /etc/hostname and /etc/resolv.conf lie on the host.</summary>
    public required string FilesDirectory { get; init; }

    /// <summary>Binds of volumes.</summary>
    public ImmutableArray<OciMount> Volumes { get; init; } = [];

    /// <summary>Binds of the host's directories that other containers lent.</summary>
    public ImmutableArray<OciMount> Lent { get; init; } = [];

    /// <summary>The user namespace of <see cref="Remap"/>.</summary>
    public string? UserPath { get; init; }

    public UserRemap? Remap { get; init; }

    /// <summary>Another container's pid namespace.</summary>
    public string? PidPath { get; init; }

    /// <summary>Another container's ipc namespace.</summary>
    public string? IpcPath { get; init; }

    /// <summary>A directory of the host that is /dev/shm, where it is shared.</summary>
    public string? ShmDirectory { get; init; }

    public ImmutableArray<GrantedDevice> Devices { get; init; } = [];
}

/// <summary>A container as the runtime must make it.</summary>
internal static class SpecPlan
{
    /// <summary>The files that the engine writes for each container, and where the container sees them.</summary>
    internal static ImmutableArray<(string Name, string Target)> GeneratedFiles { get; } =
        [("resolv.conf", "/etc/resolv.conf"), ("hostname", "/etc/hostname"), ("hosts", "/etc/hosts")];

    /// <summary>Arguments were checked at creation: a problem here is a bug and throws.</summary>
    internal static OciSpec Of(string id, ContainerConfig config, HostConfig host, StartFacts start, HostFacts facts)
    {
        var problems = new List<Problem>();
        var capabilities = Capabilities(host, problems);
        var mounts = MountPlan.Of(host, problems);
        var security = SecurityPlan.Of(host, problems);
        if (problems.Count > 0)
            throw new InvalidOperationException($"container {id} holds what its creation should have refused: {string.Join("; ", problems)}");

        var modes = NamespaceModes.Of(host);
        var hostname = Hostname(id, config, host, facts);
        return new OciSpec
        {
            Process = Process(config, host, start.User, capabilities, facts) with
            {
                Args = [.. config.Entrypoint ?? [], .. config.Cmd ?? []],
                Env = EnvironmentPlan.Of(hostname, start.Home, config.Tty, config.Env),
                Terminal = config.Tty,
            },
            Root = new OciRoot { Readonly = host.ReadonlyRootfs },
            Hostname = modes.Uts == NamespaceModes.Host ? null : hostname,
            Domainname = string.IsNullOrEmpty(config.Domainname) ? null : config.Domainname,
            Mounts = Mounts(host, mounts, start, modes),
            Annotations = host.Annotations.ToImmutableDictionary(),
            Linux = new OciLinux
            {
                Namespaces = Namespaces(start, modes),
                UidMappings = start.Remap?.Uids ?? [],
                GidMappings = start.Remap?.Gids ?? [],
                Devices = [.. SpecDefaults.Devices.Where(d => start.Devices.All(g => g.Node.Path != d.Path)), .. start.Devices.Select(g => g.Node)],
                CgroupsPath = CgroupParentPlan.Of(facts.CgroupParent, host.CgroupParent, id),
                Resources = ResourcePlan.Of(host, facts, start.Blocks) with { Devices = DeviceRules(host, start) },
                Seccomp = security.FilterFor(capabilities, facts),
                Sysctl = Sysctls(host, start),
                MaskedPaths = security.MaskedPaths,
                ReadonlyPaths = security.ReadonlyPaths,
            },
        };
    }

    /// <summary>What every process of the container has in common, its first one and those that enter it later; each has its own program.</summary>
    internal static OciProcess Process(ContainerConfig config, HostConfig host, OciUser user, HostFacts facts) =>
        Process(config, host, user, Capabilities(host, []), facts);

    private static OciProcess Process(ContainerConfig config, HostConfig host, OciUser user, ImmutableArray<string> capabilities, HostFacts facts) => new()
    {
        Cwd = string.IsNullOrEmpty(config.WorkingDir) ? "/" : config.WorkingDir,
        User = user,
        NoNewPrivileges = SecurityPlan.ForbidsPrivileges(host),
        OomScoreAdj = host.OomScoreAdj == 0 ? null : (int)host.OomScoreAdj,
        Rlimits = ResourcePlan.Rlimits(host with { Ulimits = [.. facts.DefaultUlimits.Where(d => host.Ulimits.All(u => u.Name != d.Name)), .. host.Ulimits] }),
        Capabilities = Kept(capabilities, user.Uid),
    };

    private static ImmutableArray<string> Capabilities(HostConfig host, List<Problem> problems) =>
        host.Privileged ? CapabilityNames.All : CapabilityPlan.Of(host.CapAdd, host.CapDrop, problems);

    internal static string Hostname(string id, ContainerConfig config, HostConfig host, HostFacts facts) =>
        !string.IsNullOrEmpty(config.Hostname) ? config.Hostname : host.NetworkMode == "host" || host.UtsMode == NamespaceModes.Host ? facts.Hostname : id[..12];

    /// <summary>Who is not root holds none, but may gain what the bounding set has by a file's capabilities.</summary>
    private static OciCapabilities Kept(ImmutableArray<string> capabilities, uint uid) => new()
    {
        Bounding = capabilities,
        Effective = uid == 0 ? capabilities : [],
        Permitted = uid == 0 ? capabilities : [],
    };

    /// <summary>A mount of the user's on the same place takes the place of a default or generated one.</summary>
    private static ImmutableArray<OciMount> Mounts(HostConfig host, MountPlan plan, StartFacts start, NamespaceModes modes)
    {
        var own = plan.Mounts.Concat(start.Lent).Concat(start.Volumes.Select(m => Mapped(start, m))).OrderBy(m => m.Destination.Count(c => c == '/')).ToList();
        var taken = own.Select(m => m.Destination).ToHashSet(StringComparer.Ordinal);
        var defaults = SpecDefaults.Mounts(host.ShmSize).SelectMany(m => Shared(m, start, modes)).Where(m => !taken.Contains(m.Destination))
            .Select(m => host.Privileged && m.Type is ("sysfs" or "cgroup") ? m with { Options = m.Options.Replace("ro", "rw") } : m);
        var generated = GeneratedFiles.Where(f => !taken.Contains(f.Target)).Select(f => Mapped(start, new OciMount
        {
            Destination = f.Target,
            Source = Path.Combine(start.FilesDirectory, f.Name),
            Type = "bind",
            Options = host.ReadonlyRootfs ? ["rbind", "rprivate", "ro"] : ["rbind", "rprivate", "rw"],
        }));
        return [.. defaults, .. own, .. generated];
    }

    /// <summary>Files of the engine's own keep the owners that the container sees, whichever user namespace it is in.</summary>
    private static OciMount Mapped(StartFacts start, OciMount mount) =>
        start.Remap is null || mount.Type != "bind" ? mount : mount with { Options = mount.Options.Add("idmap") };

    private static IEnumerable<OciMount> Shared(OciMount mount, StartFacts start, NamespaceModes modes) => (mount.Destination, modes.Ipc) switch
    {
        ("/dev/shm", NamespaceModes.None) => [],
        ("/dev/shm", NamespaceModes.Host) => [Bind(mount.Destination, mount.Destination)],
        ("/dev/shm", _) when start.ShmDirectory is { } shm => [Bind(shm, mount.Destination)],
        _ => [mount],
    };

    private static OciMount Bind(string source, string target) =>
        new() { Destination = target, Source = source, Type = "bind", Options = ["rbind", "rprivate", "nosuid", "noexec", "nodev"] };

    private static ImmutableArray<OciDeviceRule> DeviceRules(HostConfig host, StartFacts start) => host.Privileged
        ? [new OciDeviceRule { Allow = true, Access = DeviceRequest.All }]
        :
        [
            .. SpecDefaults.DeviceRules,
            .. start.Devices.Select(d => new OciDeviceRule { Allow = true, Type = d.Node.Type, Major = d.Node.Major, Minor = d.Node.Minor, Access = d.Access }),
            .. host.DeviceCgroupRules.Select(r => DeviceRequest.Rule(r)!),
        ];

    private static ImmutableArray<OciNamespace> Namespaces(StartFacts start, NamespaceModes modes)
    {
        var namespaces = ImmutableArray.CreateBuilder<OciNamespace>();
        namespaces.Add(new OciNamespace { Type = "mount" });
        if (modes.Pid != NamespaceModes.Host)
            namespaces.Add(new OciNamespace { Type = "pid", Path = start.PidPath });
        if (modes.Ipc != NamespaceModes.Host)
            namespaces.Add(new OciNamespace { Type = "ipc", Path = start.IpcPath });
        if (modes.Uts != NamespaceModes.Host)
            namespaces.Add(new OciNamespace { Type = "uts" });
        if (modes.Cgroup != NamespaceModes.Host)
            namespaces.Add(new OciNamespace { Type = "cgroup" });
        if (start.NetnsPath is { } netns)
            namespaces.Add(new OciNamespace { Type = "network", Path = netns });
        if (start.UserPath is { } user)
            namespaces.Add(new OciNamespace { Type = "user", Path = user });
        return namespaces.ToImmutable();
    }

    /// <summary>With a network of its own a container may listen on low ports and ping without privilege, as in Docker since 20.10.</summary>
    private static ImmutableDictionary<string, string> Sysctls(HostConfig host, StartFacts start)
    {
        var sysctls = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (start.NetnsPath is not null && NamespaceModes.ContainerOf(host.NetworkMode ?? "") is null)
        {
            sysctls["net.ipv4.ip_unprivileged_port_start"] = "0";
            // The range names groups that a user namespace has not.
            if (start.Remap is null)
                sysctls["net.ipv4.ping_group_range"] = "0 2147483647";
        }

        foreach (var (name, value) in host.Sysctls)
            sysctls[name] = value;
        return sysctls.ToImmutable();
    }
}
