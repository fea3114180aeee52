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

    /// <summary>Where the generated /etc/hosts, /etc/hostname and /etc/resolv.conf lie on the host.</summary>
    public required string FilesDirectory { get; init; }

    /// <summary>Binds of volumes, and of what other containers lent.</summary>
    public ImmutableArray<OciMount> Volumes { get; init; } = [];
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
        var capabilities = CapabilityPlan.Of(host.CapAdd, host.CapDrop, problems);
        var mounts = MountPlan.Of(host, problems);
        var security = SecurityPlan.Of(host, problems);
        if (problems.Count > 0)
            throw new InvalidOperationException($"container {id} holds what its creation should have refused: {string.Join("; ", problems)}");

        var hostname = Hostname(id, config, host, facts);
        var working = string.IsNullOrEmpty(config.WorkingDir) ? "/" : config.WorkingDir;
        return new OciSpec
        {
            Process = new OciProcess
            {
                Args = [.. config.Entrypoint ?? [], .. config.Cmd ?? []],
                Env = EnvironmentPlan.Of(hostname, start.Home, config.Tty, config.Env),
                Cwd = working,
                User = start.User,
                Terminal = config.Tty,
                NoNewPrivileges = security.NoNewPrivileges,
                OomScoreAdj = host.OomScoreAdj == 0 ? null : (int)host.OomScoreAdj,
                Rlimits = ResourcePlan.Rlimits(host),
                Capabilities = Kept(capabilities, start.User.Uid),
            },
            Root = new OciRoot { Readonly = host.ReadonlyRootfs },
            Hostname = hostname,
            Domainname = string.IsNullOrEmpty(config.Domainname) ? null : config.Domainname,
            Mounts = Mounts(host, [.. mounts.Mounts.Concat(start.Volumes).OrderBy(m => m.Destination.Count(c => c == '/'))], start.FilesDirectory),
            Linux = new OciLinux
            {
                Namespaces = Namespaces(start.NetnsPath),
                Devices = SpecDefaults.Devices,
                CgroupsPath = $"{facts.CgroupParent}/{id}",
                Resources = ResourcePlan.Of(host, facts),
                Seccomp = security.Seccomp ? facts.DefaultSeccomp(capabilities) : null,
                Sysctl = Sysctls(host, start.NetnsPath is not null),
                MaskedPaths = SpecDefaults.MaskedPaths,
                ReadonlyPaths = SpecDefaults.ReadonlyPaths,
            },
        };
    }

    internal static string Hostname(string id, ContainerConfig config, HostConfig host, HostFacts facts) =>
        !string.IsNullOrEmpty(config.Hostname) ? config.Hostname : host.NetworkMode == "host" ? facts.Hostname : id[..12];

    /// <summary>Who is not root holds none, but may gain what the bounding set has by a file's capabilities.</summary>
    private static OciCapabilities Kept(ImmutableArray<string> capabilities, uint uid) => new()
    {
        Bounding = capabilities,
        Effective = uid == 0 ? capabilities : [],
        Permitted = uid == 0 ? capabilities : [],
    };

    /// <summary>A mount of the user's on the same place takes the place of a default or generated one.</summary>
    private static ImmutableArray<OciMount> Mounts(HostConfig host, ImmutableArray<OciMount> own, string files)
    {
        var taken = own.Select(m => m.Destination).ToHashSet(StringComparer.Ordinal);
        var defaults = SpecDefaults.Mounts(host.ShmSize).Where(m => !taken.Contains(m.Destination));
        var generated = GeneratedFiles.Where(f => !taken.Contains(f.Target)).Select(f => new OciMount
        {
            Destination = f.Target,
            Source = Path.Combine(files, f.Name),
            Type = "bind",
            Options = host.ReadonlyRootfs ? ["rbind", "rprivate", "ro"] : ["rbind", "rprivate", "rw"],
        });
        return [.. defaults, .. own, .. generated];
    }

    private static ImmutableArray<OciNamespace> Namespaces(string? netns)
    {
        ImmutableArray<OciNamespace> own =
        [
            new() { Type = "pid" }, new() { Type = "mount" }, new() { Type = "ipc" }, new() { Type = "uts" }, new() { Type = "cgroup" },
        ];
        return netns is null ? own : own.Add(new OciNamespace { Type = "network", Path = netns });
    }

    /// <summary>With a network of its own a container may listen on low ports and ping without privilege, as in Docker since 20.10.</summary>
    private static ImmutableDictionary<string, string> Sysctls(HostConfig host, bool ownNetwork)
    {
        var sysctls = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (ownNetwork)
        {
            sysctls["net.ipv4.ip_unprivileged_port_start"] = "0";
            sysctls["net.ipv4.ping_group_range"] = "0 2147483647";
        }

        foreach (var (name, value) in host.Sysctls)
            sysctls[name] = value;
        return sysctls.ToImmutable();
    }
}
