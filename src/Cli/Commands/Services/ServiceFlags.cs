using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Services;

/// <summary>The flags of <c>service create</c> and <c>service update</c>, and what they do to a spec.</summary>
/// <param name="add">Ends the names of list flags: empty for create, <c>-add</c> for update.</param>
internal sealed class ServiceFlags(string add)
{
    private readonly Option<string?> _replicas = Flags.Text("--replicas", "Number of tasks", "uint");
    private readonly Option<string?> _maxConcurrent = Flags.Text("--max-concurrent", "Number of job tasks to run concurrently (default equal to --replicas)", "uint");
    private readonly Option<string?> _maxPerNode = Flags.Text("--replicas-max-per-node", "Maximum number of tasks per node (0 = unlimited)", "uint");
    private readonly Option<string?> _endpointMode = Flags.Text("--endpoint-mode", "Endpoint mode (vip or dnsrr)");
    private readonly Option<string?> _limitCpu = Flags.Text("--limit-cpu", "Limit CPUs", "decimal");
    private readonly Option<string?> _limitMemory = Flags.Text("--limit-memory", "Limit memory", "bytes");
    private readonly Option<string?> _limitPids = Flags.Text("--limit-pids", "Limit maximum number of processes (0 = unlimited)", "int");
    private readonly Option<string?> _reserveCpu = Flags.Text("--reserve-cpu", "Reserve CPUs", "decimal");
    private readonly Option<string?> _reserveMemory = Flags.Text("--reserve-memory", "Reserve memory", "bytes");
    private readonly Option<string?> _restartCondition = Flags.Text("--restart-condition", "Restart when condition is met (none, on-failure, any)");
    private readonly Option<string?> _restartDelay = Flags.Text("--restart-delay", "Delay between restart attempts (ns|us|ms|s|m|h)", "duration");
    private readonly Option<string?> _restartMax = Flags.Text("--restart-max-attempts", "Maximum number of restarts before giving up", "uint");
    private readonly Option<string?> _restartWindow = Flags.Text("--restart-window", "Window used to evaluate the restart policy", "duration");
    private readonly RolloutFlags _update = new("update", "update", "pause", "continue", "rollback");
    private readonly RolloutFlags _rollback = new("rollback", "rollback", "pause", "continue");
    private readonly HealthFlags _health = new();
    private readonly Option<string?> _user = Flags.Text("--user", "Username or UID (format: <name|uid>[:<group|gid>])", "string", "-u");
    private readonly Option<string?> _workdir = Flags.Text("--workdir", "Working directory inside the container", "string", "-w");
    private readonly Option<string?> _hostname = Flags.Text("--hostname", "Container hostname");
    private readonly Option<string?> _stopSignal = Flags.Text("--stop-signal", "Signal to stop the container");
    private readonly Option<string?> _stopGrace = Flags.Text("--stop-grace-period", "Time to wait before force killing a container", "duration");
    private readonly Option<string?> _entrypoint = Flags.Text("--entrypoint", "Overwrite the default entrypoint of the image", "command");
    private readonly Option<string?> _logDriver = Flags.Text("--log-driver", "Logging driver for service");
    private readonly Option<string?> _userns = Flags.Text("--userns", "User namespace of the containers (default, host, remap)");
    private readonly Option<string[]> _securityOpt = Flags.List("--security-opt", "Security options (no-new-privileges, seccomp=default|unconfined|FILE)", "list");
    private readonly Option<string?> _oomScore = Flags.Text("--oom-score-adj", "Tune the host's OOM preferences (-1000 to 1000)", "int");
    private readonly Option<string[]> _logOpt = Flags.List("--log-opt", "Logging driver options", "list");
    private readonly Option<string[]> _publish = Flags.List("--publish" + add, "Publish a port as a node port", "port", add.Length == 0 ? ["-p"] : []);
    private readonly Option<string[]> _env = Flags.List("--env" + add, "Set environment variables", "list", add.Length == 0 ? ["-e"] : []);
    private readonly Option<string[]> _label = Flags.List("--label" + add, "Service labels", "list", add.Length == 0 ? ["-l"] : []);
    private readonly Option<string[]> _containerLabel = Flags.List("--container-label" + add, "Container labels", "list");
    private readonly Option<string[]> _constraint = Flags.List("--constraint" + add, "Placement constraints", "list");
    private readonly Option<string[]> _preference = Flags.List("--placement-pref" + add, "Add a placement preference", "pref");
    private readonly Option<string[]> _network = Flags.List("--network" + add, "Network attachments", "network");
    private readonly Option<string[]> _mount = Flags.List("--mount" + add, "Attach a filesystem mount to the service", "mount");
    private readonly Option<string[]> _host = Flags.List("--host" + add, "Custom host-to-IP mappings (host:ip)", "list");
    private readonly Option<string[]> _dns = Flags.List("--dns" + add, "Set custom DNS servers", "list");
    private readonly Option<string[]> _dnsSearch = Flags.List("--dns-search" + add, "Set custom DNS search domains", "list");
    private readonly Option<string[]> _dnsOption = Flags.List(add.Length == 0 ? "--dns-option" : "--dns-option-add", "Set DNS options", "list");
    private readonly Option<string[]> _group = Flags.List("--group" + add, "Supplementary user groups of the container", "list");
    private readonly Option<string[]> _sysctl = Flags.List("--sysctl" + add, "Sysctl options", "list");
    private readonly Option<string[]> _ulimit = Flags.List("--ulimit" + add, "Ulimit options (name=soft[:hard])", "ulimit");
    private readonly Option<string[]> _capAdd = Flags.List("--cap-add", "Add Linux capabilities", "list");
    private readonly Option<string[]> _capDrop = Flags.List("--cap-drop", "Drop Linux capabilities", "list");
    private readonly Option<bool> _readOnly = Flags.Switch("--read-only", "Mount the container's root filesystem as read only");
    private readonly Option<bool> _init = Flags.Switch("--init", "Use an init inside each service container to forward signals and reap processes");
    private readonly Option<bool> _tty = Flags.Switch("--tty", "Allocate a pseudo-TTY", "-t");

    internal IEnumerable<Option> All =>
    [
        _replicas, _maxConcurrent, _maxPerNode, _endpointMode, _limitCpu, _limitMemory, _limitPids, _reserveCpu, _reserveMemory, _restartCondition, _restartDelay,
        _restartMax, _restartWindow, .. _update.All, .. _rollback.All, .. _health.All, _user, _workdir, _hostname, _stopSignal, _stopGrace,
        _entrypoint, _logDriver, _oomScore, _logOpt, _publish, _env, _label, _containerLabel, _constraint, _preference, _network, _mount, _host, _dns,
        _dnsSearch, _dnsOption, _group, _sysctl, _ulimit, _userns, _securityOpt, _capAdd, _capDrop, _readOnly, _init, _tty,
    ];

    /// <summary>The spec with everything that was given on the command line; <paramref name="variables"/> come before <c>--env</c>.</summary>
    internal ServiceSpec Apply(Invocation call, ServiceSpec spec, IEnumerable<string> variables)
    {
        var task = spec.TaskTemplate;
        var container = task.ContainerSpec ?? new ContainerSpec();
        var stopGrace = Parse(call, _stopGrace, Durations.Parse);
        container = container with
        {
            User = call.Get(_user) ?? container.User,
            Dir = call.Get(_workdir) ?? container.Dir,
            Hostname = call.Get(_hostname) ?? container.Hostname,
            StopSignal = call.Get(_stopSignal) ?? container.StopSignal,
            StopGracePeriod = stopGrace ?? container.StopGracePeriod,
            Command = call.Get(_entrypoint) is { } entrypoint ? Words(entrypoint) : container.Command,
            Env = Variables(container.Env, [.. variables, .. call.Get(_env) ?? []], call.Shell.Environment),
            Labels = Pairs(container.Labels, call.Get(_containerLabel)),
            Mounts = Replaced(container.Mounts, (call.Get(_mount) ?? []).Select(m => MountFlag.Parse(m, call.Shell.Folder)), m => m.Target),
            Healthcheck = _health.Apply(call, container.Healthcheck),
            Hosts = [.. container.Hosts, .. (call.Get(_host) ?? []).Select(Host)],
            Groups = [.. container.Groups.Union(call.Get(_group) ?? [], StringComparer.Ordinal)],
            Sysctls = Pairs(container.Sysctls, call.Get(_sysctl)),
            Privileges = Security(call, container.Privileges),
            Ulimits = Replaced(container.Ulimits, (call.Get(_ulimit) ?? []).Select(Ulimit), u => u.Name),
            CapabilityAdd = Capabilities(container.CapabilityAdd, container.CapabilityDrop, call.Get(_capAdd), call.Get(_capDrop)),
            CapabilityDrop = Capabilities(container.CapabilityDrop, container.CapabilityAdd, call.Get(_capDrop), call.Get(_capAdd)),
            DnsConfig = Dns(call, container.DnsConfig),
            OomScoreAdj = Whole(call, _oomScore) ?? container.OomScoreAdj,
            ReadOnly = call.Has(_readOnly) ? call.Get(_readOnly) : container.ReadOnly,
            Init = call.Has(_init) ? call.Get(_init) : container.Init,
            Tty = call.Has(_tty) ? call.Get(_tty) : container.Tty,
        };
        return spec with
        {
            Labels = Pairs(spec.Labels, call.Get(_label)),
            Mode = Replicas(call, spec.Mode),
            TaskTemplate = task with
            {
                ContainerSpec = container,
                Resources = Resources(call, task.Resources),
                RestartPolicy = Restart(call, task.RestartPolicy),
                Placement = Placement(call, task.Placement),
                Networks = Replaced(task.Networks, (call.Get(_network) ?? []).Select(NetworkFlag.Parse), n => n.Target),
                LogDriver = call.Get(_logDriver) is null && call.Get(_logOpt) is not { Length: > 0 } ? task.LogDriver : new LogDriver
                {
                    Name = call.Get(_logDriver) ?? task.LogDriver?.Name ?? "json-file",
                    Options = Pairs(task.LogDriver?.Options ?? new Dictionary<string, string>(), call.Get(_logOpt)),
                },
            },
            UpdateConfig = _update.Apply(call, spec.UpdateConfig),
            RollbackConfig = _rollback.Apply(call, spec.RollbackConfig),
            EndpointSpec = Endpoint(call, spec.EndpointSpec),
        };
    }

    private Privileges? Security(Invocation call, Privileges? old)
    {
        if (call.Get(_securityOpt) is not { Length: > 0 } && !call.Has(_userns))
            return old;
        var privileges = (old ?? new Privileges()) with { UserNamespace = OneOf(call, _userns, "default", "host", "remap") ?? old?.UserNamespace };
        foreach (var option in call.Get(_securityOpt) ?? [])
        {
            var parsed = SecurityOptions.Add(privileges, option, path => File.Exists(Path.Combine(call.Shell.Folder, path)) ? File.ReadAllText(Path.Combine(call.Shell.Folder, path)) : null);
            privileges = parsed.Error is null ? parsed.Value : throw new CommandException($"--security-opt: {parsed.Error}");
        }
        return privileges;
    }

    /// <summary>Of a job the number is that of completions, so many of them at once as <c>--max-concurrent</c> says, or all.</summary>
    private ServiceMode Replicas(Invocation call, ServiceMode mode)
    {
        var (replicas, atOnce) = (Count(call, _replicas), Count(call, _maxConcurrent));
        if (mode.IsGlobal && replicas is not null)
            throw new CommandException("replicas can only be used with replicated or replicated-job mode");
        if (mode.ReplicatedJob is not { } job)
        {
            if (atOnce is not null)
                throw new CommandException("max-concurrent can only be used with replicated-job mode");
            return replicas is { } count ? Scaled(mode, count) : mode;
        }

        var total = replicas ?? job.TotalCompletions ?? atOnce ?? 1;
        return new ServiceMode { ReplicatedJob = new ReplicatedJobMode { TotalCompletions = total, MaxConcurrent = atOnce ?? job.MaxConcurrent ?? total } };
    }

    internal static ServiceMode Scaled(ServiceMode mode, ulong replicas) => mode.ReplicatedJob is { } job
        ? new ServiceMode { ReplicatedJob = job with { TotalCompletions = replicas } }
        : new ServiceMode { Replicated = new ReplicatedMode { Replicas = replicas } };

    private EndpointSpec? Endpoint(Invocation call, EndpointSpec? old)
    {
        var ports = (call.Get(_publish) ?? []).SelectMany(PublishFlag.Parse).ToList();
        if (ports.Count == 0 && !call.Has(_endpointMode))
            return old;
        var kept = (old?.Ports ?? []).Where(p => !ports.Exists(n => n.TargetPort == p.TargetPort && n.Protocol == p.Protocol && n.PublishMode == p.PublishMode));
        return (old ?? new EndpointSpec()) with { Mode = OneOf(call, _endpointMode, "vip", "dnsrr") ?? old?.Mode, Ports = [.. kept, .. ports] };
    }

    private ResourceRequirements? Resources(Invocation call, ResourceRequirements? old)
    {
        var (limits, reservations) = (old?.Limits ?? new(), old?.Reservations ?? new());
        limits = limits with
        {
            NanoCpus = Parse(call, _limitCpu, CpuAmounts.Parse) ?? limits.NanoCpus,
            MemoryBytes = Parse(call, _limitMemory, ByteSizes.Parse) ?? limits.MemoryBytes,
            Pids = Whole(call, _limitPids) ?? limits.Pids,
        };
        reservations = reservations with
        {
            NanoCpus = Parse(call, _reserveCpu, CpuAmounts.Parse) ?? reservations.NanoCpus,
            MemoryBytes = Parse(call, _reserveMemory, ByteSizes.Parse) ?? reservations.MemoryBytes,
        };
        return old is null && limits == new ResourceAmounts() && reservations == new ResourceAmounts()
            ? null
            : new ResourceRequirements { Limits = limits, Reservations = reservations };
    }

    private RestartPolicy? Restart(Invocation call, RestartPolicy? old)
    {
        if (!call.Has(_restartCondition) && !call.Has(_restartDelay) && !call.Has(_restartMax) && !call.Has(_restartWindow))
            return old;
        old ??= new RestartPolicy();
        return old with
        {
            Condition = OneOf(call, _restartCondition, "none", "on-failure", "any") switch
            {
                "none" => RestartCondition.None,
                "on-failure" => RestartCondition.OnFailure,
                "any" => RestartCondition.Any,
                _ => old.Condition,
            },
            Delay = Parse(call, _restartDelay, Durations.Parse) ?? old.Delay,
            MaxAttempts = Count(call, _restartMax) ?? old.MaxAttempts,
            Window = Parse(call, _restartWindow, Durations.Parse) ?? old.Window,
        };
    }

    private Placement? Placement(Invocation call, Placement? old)
    {
        if (!call.Has(_constraint) && !call.Has(_preference) && !call.Has(_maxPerNode))
            return old;
        old ??= new Placement();
        return old with
        {
            Constraints = [.. old.Constraints.Union(call.Get(_constraint) ?? [], StringComparer.Ordinal)],
            Preferences = [.. old.Preferences, .. (call.Get(_preference) ?? []).Select(Spread)],
            MaxReplicas = Count(call, _maxPerNode) ?? old.MaxReplicas,
        };
    }

    private DnsConfig? Dns(Invocation call, DnsConfig? old) => !call.Has(_dns) && !call.Has(_dnsSearch) && !call.Has(_dnsOption) ? old : new DnsConfig
    {
        Nameservers = [.. (old?.Nameservers ?? []).Union(call.Get(_dns) ?? [], StringComparer.Ordinal)],
        Search = [.. (old?.Search ?? []).Union(call.Get(_dnsSearch) ?? [], StringComparer.Ordinal)],
        Options = [.. (old?.Options ?? []).Union(call.Get(_dnsOption) ?? [], StringComparer.Ordinal)],
    };

    private static PlacementPreference Spread(string text) => text.StartsWith("spread=", StringComparison.Ordinal)
        ? new PlacementPreference { Spread = new SpreadOver { SpreadDescriptor = text[7..] } }
        : throw new CommandException($"invalid placement preference '{text}': write spread=KEY");

    /// <summary>What is given takes the place of what has its key.</summary>
    private static IReadOnlyList<T> Replaced<T>(IReadOnlyList<T> old, IEnumerable<T> given, Func<T, string> key)
    {
        var added = given.ToList();
        return [.. old.Where(o => !added.Exists(a => key(a) == key(o))), .. added];
    }

    /// <summary>One of the two lists: what stood in the other is only taken out of there, back to the default (docker/cli, <c>updateCapabilities</c>).</summary>
    private static IReadOnlyList<string> Capabilities(IReadOnlyList<string> mine, IReadOnlyList<string> other, string[]? given, string[]? givenToOther)
    {
        var added = (given ?? []).Select(Capability).ToList();
        var taken = (givenToOther ?? []).Select(Capability).ToList();
        return [.. mine.Where(c => !taken.Contains(c)), .. added.Where(c => !other.Contains(c) && !mine.Contains(c)).Distinct(StringComparer.Ordinal)];
    }

    internal static string Capability(string text)
    {
        var name = text.ToUpperInvariant();
        return name == "ALL" || name.StartsWith("CAP_", StringComparison.Ordinal) ? name : "CAP_" + name;
    }

    private static string Host(string text)
    {
        var colon = text.IndexOfAny([':', '=']);
        return colon > 0 && System.Net.IPAddress.TryParse(text[(colon + 1)..].Trim('[', ']'), out _)
            ? $"{text[(colon + 1)..].Trim('[', ']')} {text[..colon]}"
            : throw new CommandException($"bad format for a host: '{text}': write NAME:IP");
    }

    internal static Ulimit Ulimit(string text)
    {
        var equals = text.IndexOf('=');
        var values = equals < 0 ? [] : text[(equals + 1)..].Split(':');
        if (values.Length is 1 or 2 && long.TryParse(values[0], CultureInfo.InvariantCulture, out var soft) && long.TryParse(values[^1], CultureInfo.InvariantCulture, out var hard))
            return new Ulimit { Name = text[..equals], Soft = soft, Hard = hard };
        throw new CommandException($"invalid ulimit '{text}': write NAME=SOFT[:HARD]");
    }

    private static IReadOnlyList<string> Words(string command)
    {
        var words = ShellWords.Split(command);
        return words.Error is null ? words.Value : throw new CommandException($"--entrypoint: {words.Error}");
    }

    /// <summary>A name alone takes its value from the environment, and is left out when it is not set there.</summary>
    internal static List<string> Variables(IReadOnlyList<string> old, IEnumerable<string> given, IReadOnlyDictionary<string, string> environment)
    {
        var all = new List<string>(old);
        foreach (var text in given)
        {
            var equals = text.IndexOf('=');
            var name = equals < 0 ? text : text[..equals];
            if (name.Length == 0)
                throw new CommandException($"invalid environment variable '{text}': write NAME=value");
            all.RemoveAll(v => v.StartsWith(name + "=", StringComparison.Ordinal));
            if (equals >= 0)
                all.Add(text);
            else if (environment.TryGetValue(name, out var value))
                all.Add($"{name}={value}");
        }
        return all;
    }

    internal static IReadOnlyDictionary<string, string> Pairs(IReadOnlyDictionary<string, string> old, string[]? given)
    {
        if (given is not { Length: > 0 })
            return old;
        var all = new SortedDictionary<string, string>(old.ToDictionary(), StringComparer.Ordinal);
        foreach (var text in given)
        {
            var equals = text.IndexOf('=');
            if (equals == 0 || text.Length == 0)
                throw new CommandException($"invalid argument '{text}': write NAME=VALUE, the name is empty");
            all[equals < 0 ? text : text[..equals]] = equals < 0 ? "" : text[(equals + 1)..];
        }
        return all;
    }

    internal static string? OneOf(Invocation call, Option<string?> option, params ReadOnlySpan<string> allowed) =>
        call.Get(option) is not { } text || allowed.Contains(text)
            ? call.Get(option)
            : throw new CommandException($"invalid value '{text}' for {option.Name}: known are {string.Join(", ", allowed.ToArray())}");

    internal static ulong? Count(Invocation call, Option<string?> option) => call.Get(option) is not { } text ? null
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count
        : throw new CommandException($"invalid value '{text}' for {option.Name}: it must be a whole number from 0");

    internal static long? Whole(Invocation call, Option<string?> option) => call.Get(option) is not { } text ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var count) ? count
        : throw new CommandException($"invalid value '{text}' for {option.Name}: it must be a whole number");

    internal static T? Parse<T>(Invocation call, Option<string?> option, Func<string, Parsed<T>> parse) where T : struct
    {
        if (call.Get(option) is not { } text)
            return null;
        var parsed = parse(text);
        return parsed.Error is null ? parsed.Value : throw new CommandException($"{option.Name}: {parsed.Error}");
    }
}
