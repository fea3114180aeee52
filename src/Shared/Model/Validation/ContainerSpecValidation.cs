namespace Orchestrator.Shared.Model.Validation;

internal static class ContainerSpecValidation
{
    private const string Root = "TaskTemplate.ContainerSpec";

    internal static void Check(Findings found, ContainerSpec spec)
    {
        if (spec.Image.Trim().Length == 0)
            found.Add(Root + ".Image", "image reference must be provided");
        else if (spec.Image.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
            found.Add(Root + ".Image", $"'{spec.Image}' is not a valid image reference");
        foreach (var variable in spec.Env)
            found.When(variable.Length == 0 || variable[0] == '=', Root + ".Env", $"invalid environment variable: '{variable}'");
        found.When(spec.StopGracePeriod < TimeSpan.Zero, Root + ".StopGracePeriod", "the stop grace period must not be negative");
        found.When(spec.Dir is { Length: > 0 } dir && dir[0] != '/', Root + ".Dir", $"working directory '{spec.Dir}' must be absolute");
        found.When(spec.Isolation is not (null or "" or "default"), Root + ".Isolation", $"isolation '{spec.Isolation}' is not supported on Linux");
        foreach (var problem in HealthValidation.Check(spec.Healthcheck, Root + ".Healthcheck"))
            found.Add(problem.Where, problem.Message);
        if (spec.Privileges is { } privileges)
            PrivilegesValidation.Check(found, privileges, Root + ".Privileges");
        PayloadValidation.References(found, spec, Root);
        Kernel(found, spec);
        Templates(found, spec);

        foreach (var mount in spec.Mounts)
            Mount(found, mount);
        foreach (var twice in spec.Mounts.GroupBy(m => m.Target, StringComparer.Ordinal).Where(g => g.Count() > 1))
            found.Add(Root + ".Mounts", $"duplicate mount point: {twice.Key}");
    }

    /// <summary>What the kernel knows by name or number: a task could only be rejected for it, again and again.</summary>
    private static void Kernel(Findings found, ContainerSpec spec)
    {
        foreach (var (names, field) in new[] { (spec.CapabilityAdd, ".CapabilityAdd"), (spec.CapabilityDrop, ".CapabilityDrop") })
        {
            foreach (var name in names.Select(CapabilityNames.FullName).Where(n => !CapabilityNames.IsKnown(n)))
                found.Add(Root + field, $"unknown capability: \"{name}\"");
        }

        foreach (var problem in UlimitValidation.Check(spec.Ulimits))
            found.Add(Root + ".Ulimits", problem);
        foreach (var name in spec.Sysctls.Keys.Where(n => !SysctlNames.IsNamespaced(n, ownNetwork: true)).Order(StringComparer.Ordinal))
            found.Add(Root + ".Sysctls", $"sysctl '{name}' is not allowed: it is not the container's own");
        found.When(spec.StopSignal is { Length: > 0 } signal && Signals.Parse(signal) is null, Root + ".StopSignal", $"Invalid signal: {spec.StopSignal}");
        found.When(
            spec.OomScoreAdj is < -1000 or > 1000, Root + ".OomScoreAdj", $"Invalid value {spec.OomScoreAdj}, range for oom score adj is [-1000, 1000]");
        foreach (var line in spec.Hosts)
        {
            var words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            found.When(words.Length < 2 || !System.Net.IPAddress.TryParse(words[0], out _), Root + ".Hosts", $"'{line}' is no line of /etc/hosts: write IP NAME");
        }

        foreach (var server in (spec.DnsConfig?.Nameservers ?? []).Where(s => !System.Net.IPAddress.TryParse(s, out _)))
            found.Add(Root + ".DNSConfig.Nameservers", $"'{server}' is not an IP address");
    }

    /// <summary>Where tasks have their names and places filled in.</summary>
    private static void Templates(Findings found, ContainerSpec spec)
    {
        void Check(string? text, string field)
        {
            foreach (var what in TaskPlaceholders.Unknown(text))
                found.Add(Root + field, $"the template '{text}' holds '{what}', which is not known");
        }

        Check(spec.Hostname, ".Hostname");
        foreach (var variable in spec.Env)
            Check(variable, ".Env");
        foreach (var mount in spec.Mounts)
        {
            Check(mount.Source, ".Mounts");
            Check(mount.Target, ".Mounts");
            foreach (var value in (mount.VolumeOptions?.Labels ?? Empty.Map).Values.Concat((mount.VolumeOptions?.DriverConfig?.Options ?? Empty.Map).Values))
                Check(value, ".Mounts");
        }
    }

    private static void Mount(Findings found, Mount mount)
    {
        const string where = Root + ".Mounts";
        found.When(mount.Target.Length == 0 || mount.Target[0] != '/', where, $"mount target '{mount.Target}' must be an absolute path");
        found.When(mount.Target == "/", where, "invalid mount target: the container's root can't be mounted over");
        switch (mount.Type)
        {
            case "bind":
                found.When(
                    mount.Source is not { Length: > 0 } source || source[0] != '/', where, $"bind source '{mount.Source}' must be an absolute path");
                break;
            case "tmpfs":
                found.When(!string.IsNullOrEmpty(mount.Source), where, $"a tmpfs mount at '{mount.Target}' has no source");
                found.When(mount.TmpfsOptions?.SizeBytes < 0, where, $"the tmpfs at '{mount.Target}' has a negative size");
                break;
            case "volume":
                VolumeMountValidation.Check(found, mount, where);
                break;
            default:
                found.Add(where, $"mount type '{mount.Type}' is not supported: use bind, volume or tmpfs");
                break;
        }
    }
}
