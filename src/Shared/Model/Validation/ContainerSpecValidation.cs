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

        foreach (var mount in spec.Mounts)
            Mount(found, mount);
        foreach (var twice in spec.Mounts.GroupBy(m => m.Target, StringComparer.Ordinal).Where(g => g.Count() > 1))
            found.Add(Root + ".Mounts", $"duplicate mount point: {twice.Key}");
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
