using System.CommandLine;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Commands.Terminals;
using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers.Creation;

/// <summary>How the container uses its host: files, privileges, namespaces, logs.</summary>
internal sealed partial class RunFlags
{
    private readonly Option<bool> _remove = Flags.Switch("--rm", "Automatically remove the container and its associated anonymous volumes when it exits");
    private readonly Option<string?> _restart = Flags.Text("--restart", "Restart policy to apply when a container exits (no, always, unless-stopped, on-failure[:max])");
    private readonly Option<string[]> _volume = Flags.List("--volume", "Bind mount a volume", "list", "-v");
    private readonly Option<string[]> _mount = Flags.List("--mount", "Attach a filesystem mount to the container", "mount");
    private readonly Option<string[]> _tmpfs = Flags.List("--tmpfs", "Mount a tmpfs directory", "list");
    private readonly Option<string[]> _volumesFrom = Flags.List("--volumes-from", "Mount volumes from the specified container(s)", "list");
    private readonly Option<string?> _volumeDriver = Flags.Text("--volume-driver", "Optional volume driver for the container");
    private readonly Option<string[]> _storageOpt = Flags.List("--storage-opt", "Storage driver options for the container", "list");
    private readonly Option<string?> _shmSize = Flags.Text("--shm-size", "Size of /dev/shm", "bytes");
    private readonly Option<bool> _readOnly = Flags.Switch("--read-only", "Mount the container's root filesystem as read only");
    private readonly Option<string[]> _capAdd = Flags.List("--cap-add", "Add Linux capabilities", "list");
    private readonly Option<string[]> _capDrop = Flags.List("--cap-drop", "Drop Linux capabilities", "list");
    private readonly Option<bool> _privileged = Flags.Switch("--privileged", "Give extended privileges to this container");
    private readonly Option<string[]> _securityOpt = Flags.List("--security-opt", "Security options", "list");
    private readonly Option<string[]> _groupAdd = Flags.List("--group-add", "Add additional groups to join", "list");
    private readonly Option<string[]> _device = Flags.List("--device", "Add a host device to the container", "list");
    private readonly Option<string[]> _deviceRule = Flags.List("--device-cgroup-rule", "Add a rule to the cgroup allowed devices list", "list");
    private readonly Option<string[]> _sysctl = Flags.List("--sysctl", "Sysctl options", "list");
    private readonly Option<bool> _init = Flags.Switch("--init", "Run an init inside the container that forwards signals and reaps processes");
    private readonly Option<string?> _pid = Flags.Text("--pid", "PID namespace to use");
    private readonly Option<string?> _ipc = Flags.Text("--ipc", "IPC mode to use");
    private readonly Option<string?> _uts = Flags.Text("--uts", "UTS namespace to use");
    private readonly Option<string?> _userns = Flags.Text("--userns", "User namespace to use");
    private readonly Option<string?> _cgroupns = Flags.Text("--cgroupns", "Cgroup namespace to use (host|private)");
    private readonly Option<string?> _cgroupParent = Flags.Text("--cgroup-parent", "Optional parent cgroup for the container");
    private readonly Option<string[]> _annotation = Flags.List("--annotation", "Add an annotation to the container (passed through to the OCI runtime)", "list");
    private readonly Option<string?> _logDriver = Flags.Text("--log-driver", "Logging driver for the container");
    private readonly Option<string[]> _logOpt = Flags.List("--log-opt", "Log driver options", "list");

    private IEnumerable<Option> HostOptions =>
    [
        _remove, _restart, _volume, _mount, _tmpfs, _volumesFrom, _volumeDriver, _storageOpt, _shmSize, _readOnly, _capAdd, _capDrop, _privileged,
        _securityOpt, _groupAdd, _device, _deviceRule, _sysctl, _init, _pid, _ipc, _uts, _userns, _cgroupns, _cgroupParent, _annotation, _logDriver, _logOpt,
    ];

    internal bool Removes(Invocation call) => call.Get(_remove);

    private HostConfig Host(Invocation call)
    {
        return new HostConfig
        {
            AutoRemove = call.Get(_remove),
            RestartPolicy = Restart(call.Get(_restart)),
            Mounts = [.. Given(call, _mount).Select(m => MountFlag.Parse(m, call.Shell.Folder))],
            Tmpfs = Given(call, _tmpfs).Select(t => t.Split(':', 2)).GroupBy(t => t[0]).ToDictionary(g => g.Key, g => g.Last().ElementAtOrDefault(1) ?? "", StringComparer.Ordinal),
            VolumesFrom = Given(call, _volumesFrom),
            VolumeDriver = call.Get(_volumeDriver),
            StorageOpt = ServiceFlags.Pairs(new Dictionary<string, string>(), call.Get(_storageOpt)),
            ShmSize = Number(call, _shmSize, ByteSizes.Parse) ?? 0,
            ReadonlyRootfs = call.Get(_readOnly),
            CapAdd = Given(call, _capAdd),
            CapDrop = Given(call, _capDrop),
            Privileged = call.Get(_privileged),
            SecurityOpt = [.. Given(call, _securityOpt).Select(o => SecurityFlag.Read(call.Shell.Folder, o))],
            GroupAdd = Given(call, _groupAdd),
            Devices = [.. Given(call, _device).Select(DeviceFlag.Parse)],
            DeviceCgroupRules = Given(call, _deviceRule),
            Sysctls = ServiceFlags.Pairs(new Dictionary<string, string>(), call.Get(_sysctl)),
            Init = call.Has(_init) ? call.Get(_init) : null,
            PidMode = call.Get(_pid),
            IpcMode = call.Get(_ipc),
            UtsMode = call.Get(_uts),
            UsernsMode = call.Get(_userns),
            CgroupnsMode = call.Get(_cgroupns),
            CgroupParent = call.Get(_cgroupParent),
            Annotations = ServiceFlags.Pairs(new Dictionary<string, string>(), call.Get(_annotation)),
            PublishAllPorts = call.Get(_publishAll),
            ExtraHosts = [.. Given(call, _addHost).Select(HostEntry)],
            Dns = Given(call, _dns),
            DnsOptions = Given(call, _dnsOption),
            DnsSearch = Given(call, _dnsSearch),
            LogConfig = !call.Has(_logDriver) && !call.Has(_logOpt) ? null : new LogConfig
            {
                Type = call.Get(_logDriver) ?? "",
                Config = ServiceFlags.Pairs(new Dictionary<string, string>(), call.Get(_logOpt)),
            },
            ConsoleSize = call.Get(_tty) && call.Shell.IsTerminal ? WindowSize.Now : [],
        };
    }

    private (IReadOnlyDictionary<string, EmptyObject> Volumes, IReadOnlyList<string> Binds) Volumes(Invocation call)
    {
        var volumes = new Dictionary<string, EmptyObject>(StringComparer.Ordinal);
        var binds = new List<string>();
        foreach (var text in Given(call, _volume))
        {
            if (!text.Contains(':'))
                volumes[text] = new EmptyObject();
            else
                binds.Add(text[0] is '.' or '~' ? Local(call, text) : text);
        }

        return (volumes, binds);
    }

    /// <summary>A source beginning with a dot is a path from here; a name without slashes is a volume's.</summary>
    private static string Local(Invocation call, string text)
    {
        var colon = text.IndexOf(':');
        var source = text[..colon];
        source = source[0] == '~' ? call.Shell.Home + source[1..] : source;
        return Path.GetFullPath(Path.Combine(call.Shell.Folder, source)) + text[colon..];
    }

    private static ContainerRestartPolicy? Restart(string? text)
    {
        if (text is null)
            return null;
        var parts = text.Split(':', 2);
        if (parts.Length == 1)
            return new ContainerRestartPolicy { Name = parts[0] };
        return parts[0] == "on-failure" && int.TryParse(parts[1], System.Globalization.CultureInfo.InvariantCulture, out var most) && most >= 0
            ? new ContainerRestartPolicy { Name = parts[0], MaximumRetryCount = most }
            : throw new CommandException($"invalid restart policy '{text}': only on-failure takes a number, as in on-failure:3");
    }
}
