namespace Orchestrator.Shared.Model.Validation;

/// <summary>Judges a service's spec by itself, whatever the cluster holds: every problem at once, each with its field's path.</summary>
public static class ServiceSpecValidation
{
    private const long LeastMemory = 4 << 20;
    private const long LeastNanoCpus = 1_000_000;
    private const ulong MostTasks = 100_000;

    public static IReadOnlyList<Problem> Check(ServiceSpec spec)
    {
        var found = new Findings();
        Name(found, spec.Name);
        Mode(found, spec.Mode);
        if (spec.TaskTemplate.ContainerSpec is { } container)
            ContainerSpecValidation.Check(found, container);
        else
            found.Add("TaskTemplate.ContainerSpec", "a service needs a container spec with an image");
        Template(found, spec.TaskTemplate);
        found.When(spec.Mode.IsJob && spec.UpdateConfig is not null, "UpdateConfig", "a job has no update config: what is changed is run anew as a whole");
        found.When(spec.Mode.IsJob && spec.RollbackConfig is not null, "RollbackConfig", "a job has no rollback config: what is changed is run anew as a whole");
        Rollout(found, spec.UpdateConfig, "UpdateConfig", rollback: false);
        Rollout(found, spec.RollbackConfig, "RollbackConfig", rollback: true);
        Endpoint(found, spec);
        Dependencies(found, spec);
        found.When(
            spec.Networks.Count > 0 && spec.TaskTemplate.Networks.Count > 0, "Networks", "networks stand in TaskTemplate.Networks or in Networks, not in both");
        return found.Problems;
    }

    private static void Dependencies(Findings found, ServiceSpec spec)
    {
        var needs = spec.Orch?.DependsOn ?? [];
        found.When(needs.Any(d => d.Service.Length == 0), "Orch.DependsOn", "a dependency names a service");
        foreach (var twice in needs.GroupBy(d => d.Service, StringComparer.Ordinal).Where(g => g.Count() > 1))
            found.Add("Orch.DependsOn", $"service {twice.Key} is depended on twice");
    }

    private static void Name(Findings found, string name)
    {
        if (name.Length == 0)
            found.Add("Name", "a service needs a name");
        else if (name.Length > 63)
            found.Add("Name", $"name '{name}' is longer than 63 characters");
        else if (!IsName(name))
            found.Add("Name", $"name '{name}' must be valid as a DNS name component: letters, digits, '-' and '_', with a letter or digit at both ends");
    }

    /// <summary>Docker's grammar of names that become DNS names (swarmkit's isValidDNSName).</summary>
    internal static bool IsName(string name) =>
        name.Length > 0 && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static void Mode(Findings found, ServiceMode mode)
    {
        var set = new object?[] { mode.Replicated, mode.Global, mode.ReplicatedJob, mode.GlobalJob }.Count(m => m is not null);
        found.When(set > 1, "Mode", "a service has exactly one mode");
        found.When(mode.ReplicatedJob is { MaxConcurrent: 0 }, "Mode.ReplicatedJob.MaxConcurrent", "Maximum concurrent jobs must not be 0");
        found.When(mode.ReplicatedJob is { TotalCompletions: 0 }, "Mode.ReplicatedJob.TotalCompletions", "Total completed jobs must not be 0");
        found.When(
            mode.ReplicatedJob?.TotalCompletions > MostTasks || mode.ReplicatedJob?.MaxConcurrent > MostTasks, "Mode.ReplicatedJob",
            $"a job can have {MostTasks} completions at most");
        found.When(mode.Replicated?.Replicas > MostTasks, "Mode.Replicated.Replicas", $"{mode.Replicated?.Replicas} replicas are more than the {MostTasks} that a service can have");
    }

    private static void Template(Findings found, TaskSpec task)
    {
        found.When(task.Runtime is not (null or "" or "container"), "TaskTemplate.Runtime", $"runtime '{task.Runtime}' is not supported yet: use container");
        if (task.LogDriver is { } log)
        {
            foreach (var problem in LogOptions.Check(log.Name, log.Options))
                found.Add("TaskTemplate.LogDriver", problem);
        }

        if (task.Resources is { } resources)
            Resources(found, resources);
        if (task.RestartPolicy is { } restart)
        {
            found.When(restart.Delay < TimeSpan.Zero, "TaskTemplate.RestartPolicy.Delay", "the restart delay must not be negative");
            found.When(restart.Window < TimeSpan.Zero, "TaskTemplate.RestartPolicy.Window", "the restart window must not be negative");
        }

        foreach (var constraint in task.Placement?.Constraints ?? [])
        {
            if (PlacementConstraint.Parse(constraint, out var problem) is null)
                found.Add("TaskTemplate.Placement.Constraints", problem);
        }

        foreach (var preference in task.Placement?.Preferences ?? [])
        {
            if ((preference.Spread ?? new()).Problem() is { } problem)
                found.Add("TaskTemplate.Placement.Preferences", problem);
        }

        foreach (var network in task.Networks)
        {
            found.When(network.Target.Length == 0, "TaskTemplate.Networks", "a network attachment needs the network's name or id");
            found.Unsupported(network.DriverOpts.Count > 0, "TaskTemplate.Networks.DriverOpts", "driver options of an attachment");
        }
    }

    private static void Resources(Findings found, ResourceRequirements resources)
    {
        var (limits, reserved) = (resources.Limits ?? new(), resources.Reservations ?? new());
        Amounts(found, limits, "TaskTemplate.Resources.Limits");
        Amounts(found, reserved, "TaskTemplate.Resources.Reservations");
        found.When(
            limits.NanoCpus > 0 && reserved.NanoCpus > limits.NanoCpus, "TaskTemplate.Resources.Reservations.NanoCPUs",
            $"a reservation of {Cpus(reserved.NanoCpus)} CPUs is more than the limit of {Cpus(limits.NanoCpus)}");
        found.When(
            limits.MemoryBytes > 0 && reserved.MemoryBytes > limits.MemoryBytes, "TaskTemplate.Resources.Reservations.MemoryBytes",
            $"a reservation of {reserved.MemoryBytes} bytes is more than the limit of {limits.MemoryBytes}");
        found.When(reserved.Pids != 0, "TaskTemplate.Resources.Reservations.Pids", "processes can be limited, not reserved");
        found.Unsupported(reserved.GenericResources.Count > 0 || limits.GenericResources.Count > 0, "TaskTemplate.Resources.Reservations.GenericResources", "generic resources");
    }

    private static void Amounts(Findings found, ResourceAmounts amounts, string where)
    {
        found.When(
            amounts.NanoCpus < 0 || amounts.NanoCpus is > 0 and < LeastNanoCpus, where + ".NanoCPUs",
            $"invalid cpu value {Cpus(amounts.NanoCpus)}: must be at least {Cpus(LeastNanoCpus)}");
        found.When(
            amounts.MemoryBytes < 0 || amounts.MemoryBytes is > 0 and < LeastMemory, where + ".MemoryBytes",
            $"invalid memory value {amounts.MemoryBytes}: must be at least 4MiB");
        found.When(amounts.Pids < -1, where + ".Pids", $"invalid process count {amounts.Pids}: -1 and 0 mean no limit");
    }

    private static string Cpus(long nano) => ((decimal)nano / 1_000_000_000).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static void Rollout(Findings found, UpdateConfig? config, string where, bool rollback)
    {
        if (config is null)
            return;
        found.When(config.Delay < TimeSpan.Zero, where + ".Delay", "the delay must not be negative");
        found.When(config.Monitor < TimeSpan.Zero, where + ".Monitor", "the monitor period must not be negative");
        found.When(config.MaxFailureRatio is not (>= 0 and <= 1), where + ".MaxFailureRatio", "the failure ratio lies between 0 and 1");
        found.When(config.Order is not (null or "" or "stop-first" or "start-first"), where + ".Order", $"order '{config.Order}' is unknown: use stop-first or start-first");
        var action = config.FailureAction;
        var known = action is null or "" or "pause" or "continue" || (action == "rollback" && !rollback);
        found.When(!known, where + ".FailureAction", $"failure action '{action}' is unknown: use {(rollback ? "pause or continue" : "pause, continue or rollback")}");
    }

    private static void Endpoint(Findings found, ServiceSpec spec)
    {
        if (spec.EndpointSpec is not { } endpoint)
            return;
        const string where = "EndpointSpec.Ports";
        found.When(endpoint.Mode is not (null or "" or "vip" or "dnsrr"), "EndpointSpec.Mode", $"endpoint mode '{endpoint.Mode}' is unknown: use vip or dnsrr");
        found.When(
            endpoint.Mode == "dnsrr" && endpoint.Ports.Any(p => p.PublishMode == "ingress"), "EndpointSpec.Mode",
            "port published with ingress mode can't be used with dnsrr mode");
        foreach (var port in endpoint.Ports)
        {
            var name = $"{port.PublishedPort}:{port.TargetPort}/{port.Protocol}";
            found.When(port.Protocol == "sctp", where, $"sctp ports are not supported yet ({name})");
            found.When(port.Protocol is not ("tcp" or "udp" or "sctp"), where, $"protocol '{port.Protocol}' is unknown: use tcp or udp");
            found.When(port.PublishMode is not ("ingress" or "host"), where, $"publish mode '{port.PublishMode}' is unknown: use ingress or host");
            found.When(port.TargetPort is < 1 or > 65535, where, $"target port {port.TargetPort} is outside 1-65535");
            found.When(port.PublishedPort is < 0 or > 65535, where, $"published port {port.PublishedPort} is outside 0-65535");
            found.When(
                port is { PublishMode: "host", PublishedPort: 0 }, where, $"ports in host mode need a published port; choosing one is not supported yet ({name})");
        }

        foreach (var twice in endpoint.Ports.Where(p => p.PublishedPort != 0).GroupBy(p => (p.PublishedPort, p.Protocol)).Where(g => g.Count() > 1))
            found.Add(where, $"published port {twice.Key.PublishedPort}/{twice.Key.Protocol} is named twice");
    }
}
