using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Which namespaces a container has of its own, and which it shares with the host or with another container.</summary>
internal sealed record NamespaceModes
{
    internal const string Host = "host";
    internal const string Private = "private";
    internal const string Shareable = "shareable";
    internal const string None = "none";
    internal const string Remap = "remap";

    private const string OfContainer = "container:";
    private const string Where = "HostConfig.";

    public required string Pid { get; init; }
    public required string Ipc { get; init; }
    public required string Uts { get; init; }
    public required string Cgroup { get; init; }
    public required string Network { get; init; }

    /// <summary>Empty: as the daemon is set; <c>host</c>: the host's ids; <c>remap</c>: refused where the daemon has none to give.</summary>
    public required string User { get; init; }

    internal static NamespaceModes Of(HostConfig host) => new()
    {
        Pid = host.PidMode ?? "",
        Ipc = string.IsNullOrEmpty(host.IpcMode) ? Private : host.IpcMode,
        Uts = host.UtsMode ?? "",
        // As Docker: whoever is given everything sees the host's groups, where the kernel shows them.
        Cgroup = string.IsNullOrEmpty(host.CgroupnsMode) ? Private : host.CgroupnsMode,
        Network = host.NetworkMode ?? "",
        User = host.UsernsMode ?? "",
    };

    /// <summary>The container of <c>container:REFERENCE</c>.</summary>
    internal static string? ContainerOf(string mode) =>
        mode.StartsWith(OfContainer, StringComparison.Ordinal) && mode.Length > OfContainer.Length ? mode[OfContainer.Length..] : null;

    /// <summary>Every container that this one joins, with the field that says so.</summary>
    internal IEnumerable<(string Field, string Reference)> Joined() =>
        new[] { ("NetworkMode", Network), ("PidMode", Pid), ("IpcMode", Ipc) }.Select(m => (Where + m.Item1, ContainerOf(m.Item2)!)).Where(m => m.Item2 is not null);

    /// <summary>Everything that is wrong with the modes, in Docker's words where it has some.</summary>
    internal static void Check(ContainerConfig config, HostConfig host, HostFacts facts, List<Problem> problems)
    {
        void Refuse(bool when, string field, string message)
        {
            if (when)
                problems.Add(new Problem(Where + field, message));
        }

        var modes = Of(host);
        Refuse(modes.Pid is not ("" or Host) && ContainerOf(modes.Pid) is null, "PidMode", $"invalid PID mode: {modes.Pid}");
        Refuse(modes.Ipc is not (Private or Shareable or Host or None) && ContainerOf(modes.Ipc) is null, "IpcMode", $"invalid IPC mode: {modes.Ipc}");
        Refuse(modes.Uts is not ("" or Host), "UTSMode", $"invalid UTS mode: {modes.Uts}");
        Refuse(modes.Cgroup is not (Private or Host), "CgroupnsMode", $"invalid cgroup namespace mode: {modes.Cgroup}");
        Refuse(modes.User is not ("" or Host or Remap), "UsernsMode", $"invalid user namespace mode: {modes.User}: 'host' is the one that can be asked for");
        Refuse(
            modes.User == Remap && facts.Remap is null, "UsernsMode",
            "the container asks for a user namespace, and this daemon has no ids for one: start it with --userns-remap");
        Refuse(modes.Uts == Host && !string.IsNullOrEmpty(config.Hostname), "UTSMode", "conflicting options: hostname and the UTS mode");
        Refuse(modes.Uts == Host && !string.IsNullOrEmpty(config.Domainname), "UTSMode", "conflicting options: domainname and the UTS mode");
        Refuse(host.Init == true && modes.Pid.Length > 0, "Init", $"conflicting options: an init reaps what its own pid namespace leaves, and the PID mode is {modes.Pid}");
        if (ContainerOf(modes.Network) is not null)
        {
            Refuse(!string.IsNullOrEmpty(config.Hostname), "NetworkMode", "conflicting options: hostname and the network mode");
            Refuse(host.Dns.Count + host.DnsOptions.Count + host.DnsSearch.Count > 0, "NetworkMode", "conflicting options: dns and the network mode");
            Refuse(host.ExtraHosts.Count > 0, "NetworkMode", "conflicting options: custom host-to-IP mapping and the network mode");
            Refuse(host.PortBindings.Count > 0 || host.PublishAllPorts, "NetworkMode", "conflicting options: port publishing and the container type network mode");
        }

        if (facts.RemapOf(modes) is null)
            return;
        Refuse(host.Privileged, "Privileged", "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode");
        Refuse(modes.Pid == Host, "PidMode", "cannot share the host PID namespace when user namespaces are enabled");
        Refuse(modes.Network == Host, "NetworkMode", "cannot share the host's network namespace when user namespaces are enabled");
        Refuse(modes.Ipc == Host, "IpcMode", "cannot share the host's IPC namespace when user namespaces are enabled");
        Refuse(modes.Uts == Host, "UTSMode", "cannot share the host's UTS namespace when user namespaces are enabled");
        Refuse(modes.Cgroup == Host, "CgroupnsMode", "cannot share the host's cgroup namespace when user namespaces are enabled");
    }
}
