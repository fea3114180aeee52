using System.Globalization;
using System.Text;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Containers;

namespace Orchestrator.Worker.Agent;

/// <summary>A task as a container of this host.</summary>
internal static class TaskContainerPlan
{
    internal static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(10);

    /// <summary><c>SERVICE.SLOT.TASK</c>; for a global service the node takes the slot's place.</summary>
    internal static string NameOf(ServiceTask task) => task.Slot > 0
        ? string.Create(CultureInfo.InvariantCulture, $"{task.ServiceName}.{task.Slot}.{task.Id}")
        : $"{task.ServiceName}.{task.NodeId}.{task.Id}";

    /// <exception cref="TaskFailedException">The spec asks for what does not work yet, or for nonsense; all of it is named.</exception>
    internal static ContainerCreateRequest Of(TaskAssignment assignment, string nodeHostname)
    {
        var problems = new List<Problem>();
        var task = assignment.Task;
        var spec = task.Spec.ContainerSpec ?? throw new TaskFailedException("the task has no container: plugin and attachment tasks do not work yet");
        string Expand(string text) => TaskTemplate.Expand(text, assignment, nodeHostname, problems);

        var request = new ContainerCreateRequest
        {
            Image = spec.Image,
            Hostname = spec.Hostname is { Length: > 0 } hostname ? Expand(hostname) : null,
            User = spec.User,
            Env = [.. spec.Env.Select(Expand)],
            // A command takes the place of the whole invocation; arguments alone that of the image's command.
            Entrypoint = spec.Command.Count > 0 ? spec.Command : null,
            Cmd = spec.Args.Count > 0 ? spec.Args : null,
            WorkingDir = spec.Dir,
            Tty = spec.Tty,
            OpenStdin = spec.OpenStdin,
            StopSignal = spec.StopSignal,
            StopTimeout = (int)Math.Ceiling((spec.StopGracePeriod ?? DefaultGrace).TotalSeconds),
            Healthcheck = spec.Healthcheck,
            Labels = Labels(task, spec),
            ExposedPorts = task.HostPorts.Select(Key).Distinct().ToDictionary(p => p, _ => new EmptyObject(), StringComparer.Ordinal),
            HostConfig = Host(task, spec, Expand),
            NetworkingConfig = new NetworkingConfig { EndpointsConfig = Endpoints(task) },
        };
        return problems.Count == 0 ? request : throw new TaskFailedException(string.Join("; ", problems.Select(p => p.Message)));
    }

    private static HostConfig Host(ServiceTask task, ContainerSpec spec, Func<string, string> expand) => new()
    {
        NetworkMode = task.NetworksAttachments switch
        {
            [{ Network.Name: "host" or "none" } special, ..] => special.Network!.Name,
            [var first, ..] => IdOf(first),
            _ => "default",
        },
        PortBindings = task.HostPorts.GroupBy(Key).ToDictionary(
            g => g.Key,
            IReadOnlyList<PortBinding> (g) =>
            [
                .. g.Select(p => new PortBinding { HostPort = p.PublishedPort == 0 ? "" : p.PublishedPort.ToString(CultureInfo.InvariantCulture) }),
            ],
            StringComparer.Ordinal),
        LogConfig = task.Spec.LogDriver is { } driver ? new LogConfig { Type = driver.Name, Config = driver.Options } : null,
        Mounts = [.. spec.Mounts.Select(m => Mount(m, expand))],
        CapAdd = spec.CapabilityAdd,
        CapDrop = spec.CapabilityDrop,
        Dns = spec.DnsConfig?.Nameservers ?? [],
        DnsOptions = spec.DnsConfig?.Options ?? [],
        DnsSearch = spec.DnsConfig?.Search ?? [],
        ExtraHosts = [.. spec.Hosts.SelectMany(ExtraHosts)],
        GroupAdd = spec.Groups,
        OomScoreAdj = spec.OomScoreAdj,
        ReadonlyRootfs = spec.ReadOnly,
        SecurityOpt = [.. Security(spec.Privileges)],
        UsernsMode = spec.Privileges?.UserNamespace is { Length: > 0 } users and not "default" ? users : null,
        Sysctls = spec.Sysctls,
        Init = spec.Init,
        Ulimits = spec.Ulimits,
        NanoCpus = task.Spec.Resources?.Limits?.NanoCpus ?? 0,
        Memory = task.Spec.Resources?.Limits?.MemoryBytes ?? 0,
        PidsLimit = task.Spec.Resources?.Limits?.Pids is > 0 and var pids ? pids : null,
        MemoryReservation = task.Spec.Resources?.Reservations?.MemoryBytes ?? 0,
    };

    /// <summary>Swarm expands templates in a mount's source and target, and in a volume's labels and options.</summary>
    private static Mount Mount(Mount mount, Func<string, string> expand) => mount with
    {
        Source = mount.Source is null ? null : expand(mount.Source),
        Target = expand(mount.Target),
        VolumeOptions = mount.VolumeOptions is not { } volume ? null : volume with
        {
            Labels = volume.Labels.ToDictionary(l => l.Key, l => expand(l.Value), StringComparer.Ordinal),
            DriverConfig = volume.DriverConfig is not { } driver ? null : driver with
            {
                Options = driver.Options.ToDictionary(o => o.Key, o => expand(o.Value), StringComparer.Ordinal),
            },
        },
    };

    private static Dictionary<string, string> Labels(ServiceTask task, ContainerSpec spec) => new(spec.Labels, StringComparer.Ordinal)
    {
        [TaskLabels.Task] = "",
        [TaskLabels.TaskId] = task.Id.Value,
        [TaskLabels.TaskName] = NameOf(task),
        [TaskLabels.NodeId] = task.NodeId.Value,
        [TaskLabels.ServiceId] = task.ServiceId.Value,
        [TaskLabels.ServiceName] = task.ServiceName,
    };

    /// <summary>Names and aliases come with the endpoint table; here only places and addresses.</summary>
    private static Dictionary<string, EndpointSettings?> Endpoints(ServiceTask task)
    {
        var endpoints = new Dictionary<string, EndpointSettings?>(StringComparer.Ordinal);
        foreach (var attachment in task.NetworksAttachments.Where(a => a.Network?.Name is not ("host" or "none")))
        {
            endpoints[IdOf(attachment)] = new EndpointSettings
            {
                IpamConfig = attachment.Addresses is [var cidr, ..] ? new EndpointIpamConfig { Ipv4Address = cidr.Split('/')[0] } : null,
            };
        }

        return endpoints;
    }

    private static string IdOf(NetworkAttachment attachment) => attachment.Network?.Id.Value ?? attachment.NetworkId.Value;

    private static string Key(PortConfig port) => string.Create(CultureInfo.InvariantCulture, $"{port.TargetPort}/{port.Protocol}");

    /// <summary><c>IP hostname [alias…]</c> as lines of <c>name:ip</c>.</summary>
    private static IEnumerable<string> ExtraHosts(string line)
    {
        var words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        return words.Skip(1).Select(name => $"{name}:{words[0]}");
    }

    private static IEnumerable<string> Security(Privileges? privileges)
    {
        if (privileges?.NoNewPrivileges == true)
            yield return "no-new-privileges";
        if (privileges?.Seccomp?.Mode is { Length: > 0 } mode and not "default")
            yield return mode == "unconfined" ? "seccomp=unconfined" : "seccomp=" + Encoding.UTF8.GetString(privileges.Seccomp.Profile ?? []);
    }
}
